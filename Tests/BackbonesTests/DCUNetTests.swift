import Backbones
import Kernels
import Layers
import Tensors
import Testing

@Suite struct DCUNetTests {
    /// A network whose activations have no kink, for differences.
    private func options(_ architecture: DCUNetOptions.Architecture) -> DCUNetOptions {
        var options = DCUNetOptions()
        options.architecture = architecture
        options.activation = .silu
        options.embedDim = 8
        return options
    }

    @Test(arguments: [(DCUNetOptions.Architecture.dcunet10, 33), (.dcunet16, 257), (.dcunet20, 257), (.dilated, 129)])
    func everyArchitecture(architecture: DCUNetOptions.Architecture, bins: Int) throws {
        try checkGradients(of: DCUNet(options(architecture)), bins: bins, frames: 17)
    }

    @Test func everyTimeEmbeddingAndNorm() throws {
        for time in DCUNetOptions.TimeEmbedding.allCases {
            for norm in DCUNetOptions.Norm.allCases {
                var options = options(.dcunet10)
                options.timeEmbedding = time
                options.norm = norm
                options.timeEmbeddingComplex = time == .gfp
                options.tembLayersLocal = 2
                let network = try DCUNet(options)
                try checkGradients(of: network, bins: 33, frames: 17, tolerance: 0.03)
                let x = noise([1, 33, 17, 2])
                let isSame = network(x, x, [0.1]).values == network(x, x, [0.6]).values
                #expect(isSame == (time == .none))
            }
        }
    }

    /// How the running statistics follow is recorded in a case of the reference.
    @Test func trainingUsesTheBatch() throws {
        let network = try DCUNet(options(.dcunet10))
        let (x, y) = (noise([2, 33, 17, 2], "x"), noise([2, 33, 17, 2], "y"))
        let streams = (0..<2).map { RandomStream(seed: 0, purpose: "dropout", $0) }
        let first = network(x, y, [0.2, 0.6], .training(streams))
        #expect(first.values != network(x, y, [0.2, 0.6]).values)
        let counts = network.buffers.filter { $0.name.hasSuffix("num_batches_tracked") }
        #expect(counts.allSatisfy { $0.tensor.item == 1 })
    }

    @Test func framesArePaddedTrimmedOrRefused() throws {
        var options = options(.dcunet10)
        for mode in DCUNetOptions.FixLength.allCases {
            options.fixLength = mode
            let network = try DCUNet(options)
            try network.check(bins: 33, frames: 17)
            if mode == .none {
                #expect(throws: BackboneError.self) { try network.check(bins: 33, frames: 18) }
                continue
            }
            try network.check(bins: 33, frames: 18)
            let x = noise([1, 33, 18, 2])
            let out = network(x, x, [0.5])
            #expect(out.shape == x.shape)
            // What was trimmed comes back as zeros.
            let last = (0..<33).map { out.values[($0 * 18 + 17) * 2] }
            #expect(last.allSatisfy { $0 == 0 } == (mode == .trim))
        }
    }

    @Test func sizesOfWhichNothingIsLeftAreNamed() throws {
        let error = #expect(throws: BackboneError.self) { try DCUNet(options(.dilated)).check(bins: 65, frames: 17) }
        #expect(error?.option == "bins")
        #expect(error?.reason.contains("nothing is left") == true)
    }

    @Test func impossibleOptionsAreNamed() throws {
        let mistakes: [(String, (inout DCUNetOptions) -> Void)] = [
            ("dcunet_mask_bound", { $0.maskBound = .tanh }), ("dcunet_mask_bound", { $0.maskBound = .sigmoid }),
            (
                "dcunet_time_embedding_complex",
                {
                    $0.timeEmbedding = .none
                    $0.timeEmbeddingComplex = true
                }
            ),
            ("embed_dim", { $0.embedDim = 7 }), ("dcunet_temb_layers_global", { $0.tembLayersGlobal = -1 }),
        ]
        for (option, change) in mistakes {
            var options = DCUNetOptions()
            change(&options)
            let error = #expect(throws: BackboneError.self) { try DCUNet(options) }
            #expect(error?.option == option)
        }
        let error = #expect(throws: BackboneError.self) { try DCUNet(options(.dilated)).check(bins: 256, frames: 17) }
        #expect(error?.option == "bins")
    }
}
