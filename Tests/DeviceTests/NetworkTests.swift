import Backbones
import Checkpoints
import Diffusion
import Foundation
import Kernels
import Layers
import Models
import Objectives
import SpecLanguage
import Tensors
import Testing
import Training

/// A small network of a kind, always with the same weights.
private func network(_ name: String) throws -> any Backbone {
    func small(_ options: NCSNppOptions, _ change: (inout NCSNppOptions) -> Void = { _ in }) -> NCSNppOptions {
        var options = options
        (options.nf, options.chMult, options.numResBlocks, options.attnResolutions) = (8, [1, 2], 1, [32])
        (options.imageSize, options.dropout, options.initScale) = (32, 0.2, 1)
        change(&options)
        return options
    }
    switch name {
    case "ncsnpp": return try NCSNpp(small(.journal))
    case "ncsnpp_v2": return try NCSNpp(small(.v2))
    case "ncsnpp_v2 recomputing": return try NCSNpp(small(.v2) { $0.recompute = true })
    case "ncsnpp_48k": return try NCSNpp(small(.fullband))
    case "edm2":
        var options = EDM2Options()
        (options.modelChannels, options.channelMult, options.numBlocks) = (8, [1, 2], 1)
        (options.freqResolution, options.attnResolutions) = (32, [16])
        (options.block.channelsPerHead, options.block.dropout, options.block.clip) = (8, 0.2, 2)
        let network = try EDM2(options)
        // Gains of 0 would hide what is behind them.
        for gain in network.parameters where gain.name.hasSuffix("gain") { gain.assign(.scalar(0.7)) }
        return network
    default:
        if let injection = NoiseConditioning.Injection(rawValue: name) {
            return try ConditionedNCSNpp(small(.v2), NoiseConditioning(injection, width: 12))
        }
        var options = DCUNetOptions()
        options.architecture = .dcunet10
        options.norm = name == "dcunet joint" ? .joint : .separate
        return try DCUNet(options)
    }
}

extension DeviceSuite {
    /// Whole networks, training, and checkpoints that change sides.
    @Suite struct NetworkTests {
        private static let names = [
            "ncsnpp", "ncsnpp_v2", "ncsnpp_v2 recomputing", "ncsnpp_48k", "edm2", "dcunet", "dcunet joint",
        ]

        /// Deep levels of DCUNet have a value for each sample alone where its input is smaller, and a normalisation
        /// over two values lies at a kink: there the host's own gradient moves by 4 % when its input moves by 1e-7.
        private func inputs(_ name: String, batch: Int = 2) -> (x: Tensor, y: Tensor) {
            let shape = [batch, name.hasPrefix("dcunet") ? 33 : 32, name.hasPrefix("dcunet") ? 33 : 24, 2]
            return (noise("x", shape), noise("y", shape))
        }

        @Test(arguments: names)
        func networksAgreeForwardAndBackward(name: String) throws {
            let (x, y) = inputs(name)
            let streams = (0..<2).map { RandomStream(seed: 2, purpose: "dropout", $0) }
            try expectAgreement(5e-4, name, floor: 1e-5) {
                guard let network = try? network(name) else { return [] }
                let outputs = [ForwardMode.evaluation, .training(streams)].flatMap { mode -> [Tensor] in
                    let leaf = x.tracked()
                    let output = network(leaf, y, [0.3, 0.8], mode)
                    let gradients = output.gradients(seed: noise("seed", output.shape))
                    return [output.detached, gradients[leaf] ?? .zeros([1])]
                        + network.parameters.filter(\.isTrained).compactMap { gradients[$0] }.suffix(20)
                }
                return outputs + network.buffers.map(\.tensor)
            }
        }

        @Test(arguments: NoiseConditioning.Injection.allCases)
        func conditionedNetworksAgree(injection: NoiseConditioning.Injection) throws {
            let (x, y) = inputs(injection.rawValue)
            try expectAgreement(5e-4, "\(injection)") {
                let isSequence = injection == .crossAttention
                guard let network = try? network(injection.rawValue) as? any ConditionedBackbone,
                    let encoder = try? ConvolutionalNoiseEncoder(
                        filters: 8, width: 12, layers: 3, isSequence: isSequence)
                else { return [] }
                let reference = noise("reference", [2, 33, 19, 2])
                let output = network(x, y, [0.3, 0.8], noise: encoder(reference), .evaluation)
                let gradients = output.gradients(seed: noise("seed", output.shape))
                return [output.detached] + encoder.parameters.compactMap { gradients[$0] }
            }
        }

        /// Recordings that are sampled in one batch on the device are those of the host, within rounding.
        @Test func recordingsInOneBatchAgreeWithTheHost() throws {
            func outputs(together: Int) throws -> [[Float]] {
                let model = ScoreModel(
                    backbone: try network("ncsnpp_v2"), sde: OUVE(),
                    preconditioning: Preconditioning(networkScaling: .inverseSigma, output: .inverseSigma),
                    output: .score)
                let enhancer = Enhancer(
                    model: model, sampler: PredictorCorrector(sde: OUVE(), steps: 2),
                    frontEnd: FrontEnd(
                        stft: ShortTimeFourier(size: 62, hop: 16), compression: .exponent(alpha: 0.5, factor: 0.15)),
                    padding: .reflection)
                let recordings = [500, 490, 300, 510].map { count in
                    Enhancer.Recording(
                        noisy: MemorySamples(noise("recording \(count)", [count]).values), name: "\(count)")
                }
                return try enhancer.enhance(recordings, seed: 1, together: together).map { try $0.get().audio }
            }
            let host = try outputs(together: 1)
            let device = try #require(Plugin.device)
            for together in [1, 3] {
                let before = device.counts
                defer { #expect(device.counts.hostFallbacks == before.hostFallbacks + 4, "the audio alone is read") }
                for (found, expected) in zip(try Device.with(device) { try outputs(together: together) }, host) {
                    let largest = expected.reduce(0) { max($0, abs($1)) }
                    #expect(found.count == expected.count)
                    #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 5e-4 * largest })
                }
            }
        }

        @Test(arguments: NetworkLoss.allCases)
        func lossesAgree(kind: NetworkLoss) throws {
            let shape = [2, 64, 70, 2]
            let frontEnd = FrontEnd(
                stft: ShortTimeFourier(size: 126, hop: 128), compression: .exponent(alpha: 0.5, factor: 0.15))
            let loss: any TrainingLoss = kind.loss(frontEnd)
            try expectAgreement(1e-3, "\(kind)") {
                let leaf = noise("output", shape, scale: 0.1).tracked()
                let input = LossInput(
                    output: leaf, state: noise("state", shape), noise: noise("noise", shape),
                    mean: noise("mean", shape),
                    clean: noise("clean", shape, scale: 0.1), sigma: [0.2, 0.4])
                let value = loss.callAsFunction(input).total
                return [value.detached, value.gradients()[leaf] ?? .zeros(shape)]
            }
        }

        private func state(_ name: String) throws -> TrainingState {
            let model = ScoreModel(
                backbone: try network(name), sde: OUVE(),
                preconditioning: Preconditioning(networkScaling: .inverseSigma, output: .inverseSigma),
                output: .score)
            return TrainingState(model: model, loss: ScoreMatchingLoss(), rate: 1e-3, averageDecay: 0.99, clip: 1e3)
        }

        private func train(_ state: TrainingState, _ name: String, to last: Int) throws -> [Double] {
            try (state.step..<last).map { step in
                let shape = inputs(name).x.shape
                var batch = TrainingBatchInput(
                    clean: noise("clean \(step)", shape, scale: 0.3), noisy: noise("noisy \(step)", shape, scale: 0.3),
                    times: [0.3, 0.7],
                    noise: noise("noise \(step)", shape, scale: 0.5.squareRoot()))
                batch.dropout = (0..<2).map { RandomStream(seed: 4, purpose: "dropout", step, $0) }
                return try state.update([batch]).loss
            }
        }

        /// The host with AVX2 and without it differ by rounding alone; so may the device, by not much more. Over 50
        /// steps rounding grows, in DCUNet's training to 9 % of a loss; in the first steps it has not yet.
        @Test(arguments: ["ncsnpp_v2", "dcunet"])
        func fiftyStepsAgreeWithinTheSpreadOfRounding(name: String) throws {
            let device = try #require(Plugin.device)
            let host = try Device.with(nil) { try train(try state(name), name, to: 50) }
            Engine.useInstructionSet(0)
            let other = try Device.with(nil) { try train(try state(name), name, to: 50) }
            Engine.useInstructionSet(-1)
            let before = device.counts.hostFallbacks
            let found = try Device.with(device) { try train(try state(name), name, to: 50) }
            #expect(device.counts.hostFallbacks == before)
            func distance(_ a: [Double], _ b: [Double]) -> Double {
                zip(a, b).map { abs($0 - $1) / abs($0) }.max() ?? .infinity
            }
            let (spread, difference) = (distance(host, other), distance(host, found))
            #expect(difference <= max(30 * spread, 1e-5), "\(difference) for a spread of \(spread)")
            #expect(distance(Array(host.prefix(5)), Array(found.prefix(5))) < 1e-3)
        }

        /// A network with attention, along a direction: what mean flow is trained with.
        @Test func derivativesInForwardModeLeaveNothingToTheHost() throws {
            let (x, y) = inputs("ncsnpp")
            try expectAgreement(1e-3, "pushforward") {
                guard let network = try? network("ncsnpp") else { return [] }
                let (value, derivative) = pushforward([(x, noise("direction", x.shape))]) {
                    network($0[0], y, [0.3, 0.8], .evaluation)
                }
                return [value.detached, derivative]
            }
        }

        /// Factors of 7 bits of mantissa, whose products are added in fp32.
        @Test func halvesAgreeToTheirRounding() throws {
            let device = try #require(Plugin.device)
            let (x, y) = inputs("ncsnpp_v2")
            let run = { Gradients.off { (try? network("ncsnpp_v2"))?(x, y, [0.3, 0.8], .evaluation).values ?? [] } }
            let expected = Device.with(nil, run)
            let found = try Device.with(device) { try Precision.bf16.apply(run) }
            let again = Device.with(device, run)
            func error(_ values: [Float]) -> Double {
                let sums = zip(expected, values).reduce((0.0, 0.0)) {
                    ($0.0 + pow(Double($1.0 - $1.1), 2), $0.1 + pow(Double($1.0), 2))
                }
                return (sums.0 / sums.1).squareRoot()
            }
            #expect(error(found) > 1e-4 && error(found) < 3e-2, "\(error(found))")
            #expect(error(again) < 1e-5, "fp32 is back")
            #expect(throws: DeviceError("device torch-cpu computes no products in tf32", "it has fp32, bf16")) {
                try Device.with(device) { try Precision.tf32.check() }
            }
        }

        @Test func aCheckpointOfOneSideGoesOnOnTheOther() throws {
            let device = try #require(Plugin.device)
            let whole = try Device.with(nil) { try train(try state("dcunet"), "dcunet", to: 6) }
            for (first, second) in [(nil, device), (device, nil)] as [(Device?, Device?)] {
                let path = NSTemporaryDirectory() + "device-\(UUID().uuidString).safetensors"
                defer { try? FileManager.default.removeItem(atPath: path) }
                try Device.with(first) {
                    let state = try state("dcunet")
                    _ = try train(state, "dcunet", to: 3)
                    try TrainingCheckpoint(of: state, identity: "i").write(to: path, model: state.model)
                }
                let rest = try Device.with(second) {
                    let state = try state("dcunet")
                    state.restore(try TrainingCheckpoint(path: path, model: state.model))
                    return try train(state, "dcunet", to: 6)
                }
                #expect(
                    zip(rest, whole.suffix(3)).allSatisfy { abs($0 - $1) < 1e-3 * abs($1) }, "\(rest) after \(whole)")
            }
        }

        @Test(arguments: [true, false])
        func theLossByUncertaintyAgrees(meetsAcrossBatch: Bool) throws {
            let shape = [2, 64, 70, 2]
            let frontEnd = FrontEnd(
                stft: ShortTimeFourier(size: 126, hop: 128), compression: .exponent(alpha: 0.5, factor: 0.15))
            let loss = UncertaintyLoss(frontEnd: frontEnd, meetsAcrossBatch: meetsAcrossBatch)
            try expectAgreement(1e-3) {
                let (leaf, uncertainty) = (noise("output", shape).tracked(), noise("u", [2, 1]).tracked())
                var input = LossInput(
                    output: leaf, state: noise("state", shape), noise: noise("noise", shape),
                    mean: noise("mean", shape), clean: noise("clean", shape), sigma: [0.2, 0.4])
                (input.weights, input.uncertainty) = ([0.7, 1.4], uncertainty)
                let value = loss(input).total
                let gradients = value.gradients()
                return [value.detached] + [leaf, uncertainty].map { gradients[$0] ?? .zeros($0.shape) }
            }
        }

        /// Every sampler of the registry, and what their settings choose.
        private static let samplers: [(label: String, sampler: any Sampler)] = {
            let catalog = Catalog.standard
            let named = ["sbve", "ouve", "flow"].flatMap { process in
                catalog.samplers.entries.compactMap { entry -> (String, any Sampler)? in
                    // Bridges have samplers of their own, a flow has no reverse process, a regression does not sample,
                    // and the adaptive ode comes below with wider tolerances.
                    guard !["regression", "ode"].contains(entry.name), entry.name != "pc" || process == "ouve",
                        (process == "sbve") == (entry.name.hasPrefix("sb_") || entry.name.hasPrefix("edm2_")),
                        let sde = try? catalog.sdes.entries.first(where: { $0.name == process })?.standard(),
                        let sampler = try? entry.standard().make(
                            SamplerContext(catalog: catalog, sde: sde, steps: 3, finalTime: 0.03))
                    else { return nil }
                    return ("\(entry.name) on \(process)", sampler)
                }
            }
            return named + [
                (
                    "ode",
                    ProbabilityFlow(sde: OUVE(), solver: .rk45(relativeTolerance: 1e-3, absoluteTolerance: 1e-3))
                ),
                ("pc with langevin", PredictorCorrector(sde: OUVE(), corrector: .langevin(), steps: 3)),
                (
                    "pc with one step for all",
                    PredictorCorrector(sde: OUVE(), corrector: Langevin(sharesStepAcrossBatch: true), steps: 3)
                ),
                ("pc with ancestral", PredictorCorrector(sde: OUVE(), predictor: .ancestral, steps: 3)),
            ]
        }()

        @Test(arguments: samplers.map(\.label)) func samplersLeaveNothingToTheHost(label: String) throws {
            let sampler = try #require(Self.samplers.first { $0.label == label }?.sampler)
            let y = noise("y", [2, 32, 24, 2], scale: 0.3)
            try expectAgreement(1e-3, label) {
                guard let network = try? network("ncsnpp_v2") else { return [] }
                var draws = NoiseSource.addressed(seed: 1, files: ["a", "b"])
                return Gradients.off {
                    [
                        sampler.sample(given: y, noise: &draws) { x, y, t in
                            network(x, y, [Float](repeating: Float(t), count: 2)).scaled(by: 0.1)
                        }.x
                    ]
                }
            }
        }
    }
}

/// The losses of training over spectrograms.
enum NetworkLoss: String, CaseIterable {
    case scoreMatching, denoiser, data, perceptual, velocity

    func loss(_ frontEnd: FrontEnd) -> any TrainingLoss {
        switch self {
        case .scoreMatching: return ScoreMatchingLoss()
        case .denoiser: return DenoiserLoss(weighting: .edm)
        case .velocity: return VelocityMatchingLoss(norm: .mae)
        case .data: return DataPredictionLoss(frontEnd: frontEnd)
        case .perceptual:
            let term = PerceptualLoss(sampleRate: 16000)
            return DataPredictionLoss(frontEnd: frontEnd, perceptualWeight: 5e-4) { term.mean($0, $1) }
        }
    }
}
