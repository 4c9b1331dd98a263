import Backbones
import Kernels
import Layers
import Tensors
import Testing

@Suite struct NCSNppTests {
    /// Two levels of a few channels, whose last layers do not start at zero.
    static var small: NCSNppOptions {
        var options = NCSNppOptions.v2
        options.nf = 8
        options.chMult = [1, 2]
        options.numResBlocks = 1
        options.imageSize = 16
        options.attnResolutions = [8]
        options.initScale = 1
        return options
    }

    /// Combinations that the reference's classes accept and cannot run.
    static let beyondTheReference: [(String, @Sendable (inout NCSNppOptions) -> Void)] = [
        ("residual pyramid", { $0.progressive = .residual }),
        (
            "residual pyramid without FIR",
            {
                $0.progressive = .residual
                $0.fir = false
            }
        ),
        (
            "both pyramids residual",
            {
                $0.progressive = .residual
                $0.progressiveInput = .residual
            }
        ),
        (
            "residual input pyramid without FIR",
            {
                $0.progressiveInput = .residual
                $0.fir = false
            }
        ),
        ("skip pyramids without FIR", { $0.fir = false }),
        ("ddpm", { $0.resblockType = .ddpm }),
        (
            "ddpm without pyramids",
            {
                $0.resblockType = .ddpm
                $0.progressive = .none
                $0.progressiveInput = .none
            }
        ),
        (
            "ddpm, residual pyramids",
            {
                $0.resblockType = .ddpm
                $0.progressive = .residual
                $0.progressiveInput = .residual
            }
        ),
        (
            "ddpm without FIR",
            {
                $0.resblockType = .ddpm
                $0.fir = false
            }
        ),
        (
            "ddpm without FIR and convolutions",
            {
                $0.resblockType = .ddpm
                $0.fir = false
                $0.resampWithConv = false
            }
        ),
        ("positional embedding", { $0.embeddingType = .positional }),
        ("one tap", { $0.firKernel = [1] }),
        ("two taps", { $0.firKernel = [1, 2] }),
        (
            "five taps, residual pyramids",
            {
                $0.firKernel = [1, 2, 3, 4, 5]
                $0.progressive = .residual
                $0.progressiveInput = .residual
            }
        ),
        (
            "bins other than image_size",
            {
                $0.imageSize = 256
                $0.attnResolutions = [8, 128]
            }
        ),
    ]

    @Test(arguments: beyondTheReference.map(\.0))
    func whatTheReferenceCannotRunWorks(name: String) throws {
        var options = Self.small
        try #require(Self.beyondTheReference.first { $0.0 == name }).1(&options)
        try checkGradients(of: NCSNpp(options), bins: 16, frames: 8)
    }

    @Test func impossibleOptionsAreNamed() throws {
        let mistakes: [(String, (inout NCSNppOptions) -> Void)] = [
            ("nf", { $0.nf = 3 }), ("nf", { $0.nf = 9 }), ("nf", { $0.nf = 7 }), ("ch_mult", { $0.chMult = [] }),
            ("num_res_blocks", { $0.numResBlocks = 0 }), ("dropout", { $0.dropout = 1 }),
            ("fir_kernel", { $0.firKernel = [] }), ("image_size", { $0.imageSize = 0 }),
            (
                "progressive_combine",
                {
                    $0.progressiveCombine = .cat
                    $0.progressiveInput = .residual
                }
            ),
        ]
        for (option, change) in mistakes {
            var options = Self.small
            change(&options)
            let error = #expect(throws: BackboneError.self) { try NCSNpp(options) }
            #expect(error?.option == option)
        }
    }

    @Test func sizesThatDoNotDivideAreNamed() throws {
        let network = try NCSNpp(Self.small)
        try network.check(bins: 30, frames: 2)
        #expect(throws: BackboneError(option: "frames", reason: "31 frames are not a multiple of 2")) {
            try network.check(bins: 32, frames: 31)
        }
        #expect(throws: BackboneError(option: "bins", reason: "33 bins are not a multiple of 2")) {
            try network.check(bins: 33, frames: 32)
        }
    }

    @Test func unconditionalNetworksIgnoreTheTime() throws {
        var options = Self.small
        options.conditional = false
        let network = try NCSNpp(options)
        let x = noise([1, 16, 8, 2])
        #expect(network(x, x, [0.1]).values == network(x, x, [0.9]).values)
    }
}

@Suite struct DropoutTests {
    private func network(recompute: Bool = false) throws -> NCSNpp {
        var options = NCSNppTests.small
        options.dropout = 0.4
        options.recompute = recompute
        return try NCSNpp(options)
    }
    private let x = noise([3, 16, 8, 2], "x")
    private let y = noise([3, 16, 8, 2], "y")
    private let t: [Float] = [0.2, 0.5, 0.9]
    private func streams(_ step: Int) -> [RandomStream] {
        (0..<3).map { RandomStream(seed: 5, purpose: "dropout", step, $0) }
    }

    @Test func evaluationDropsNothing() throws {
        let network = try network()
        var plain = NCSNppTests.small
        plain.dropout = 0
        #expect(network(x, y, t).values == (try NCSNpp(plain))(x, y, t, .training(streams(0))).values)
    }

    @Test func trainingDependsOnTheStreamsAlone() throws {
        let network = try network()
        let first = network(x, y, t, .training(streams(0))).values
        #expect(first == network(x, y, t, .training(streams(0))).values)
        #expect(first != network(x, y, t, .training(streams(1))).values)
        #expect(first != network(x, y, t).values)
    }

    @Test func aBatchMayBeDividedAmongWorkers() throws {
        let network = try network()
        let whole = network(x, y, t, .training(streams(0)))
        let parts = [0..<1, 1..<3].map { range in
            network(x.samples(range), y.samples(range), Array(t[range]), .training(Array(streams(0)[range])))
        }
        for (a, b) in zip(whole.values, Tensor.stacked(parts).values) { #expect(abs(a - b) < 1e-4) }
    }

    @Test func gradientsMeetTheSameMask() throws {
        let mode = ForwardMode.training(Array(streams(2).prefix(2)))
        try checkGradients(of: try network(), bins: 16, frames: 8, mode)
        try checkGradients(of: try network(recompute: true), bins: 16, frames: 8, mode)
    }

    /// Up to the order in which gradients are added.
    @Test func recomputationChangesNoGradient() throws {
        let (plain, saving) = (try network(), try network(recompute: true))
        let a = plain(x, y, t, .training(streams(0))).gradients(seed: x)
        let b = saving(x, y, t, .training(streams(0))).gradients(seed: x)
        for (p, q) in zip(plain.parameters, saving.parameters) where p.isTrained {
            let (first, second) = (try #require(a[p]), try #require(b[q]))
            #expect((first - second).squaredNorm <= 1e-8 * max(1, first.squaredNorm), "\(p.name)")
        }
    }
}
