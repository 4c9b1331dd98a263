import Backbones
import Diffusion
import Foundation
import Kernels
import Layers
import Models
import Objectives
import Synchronization
import Tensors
import Testing
import Training

extension DeviceSuite {
    /// Passes of networks that are recorded and replayed, by a processor that records as a card does: what is computed
    /// while something is recorded is set to NaN, and no number may be brought to the device or read meanwhile.
    @Suite struct RecordingTests {
        private func recording(_ body: (Device) throws -> Void) throws {
            let device = try #require(Plugin.device)
            let opened = unsafe dlopen(try #require(Plugin.library), RTLD_NOW)
            guard let symbol = unsafe dlsym(opened, "sgmse_emulate_recordings") else {
                print("recordings are not tested: this torch does not record")
                return
            }
            let emulate = try #require(unsafe unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Void)?.self))
            emulate(1)
            defer { emulate(0) }
            try #require(device.records)
            try Device.with(device) { try body(device) }
            #expect(device.records, "nothing failed on the way")
        }

        private static let networks = ["ncsnpp", "ncsnpp_v2", "ncsnpp_48k", "dcunet", "edm2", "ncsnpp_v2_cond"]

        /// A small network without dropout, always with the same weights.
        private func model(_ name: String) throws -> ScoreModel {
            func small(_ options: NCSNppOptions) -> NCSNppOptions {
                var options = options
                (options.nf, options.chMult, options.numResBlocks, options.attnResolutions) = (8, [1, 2], 1, [32])
                (options.imageSize, options.dropout, options.initScale) = (32, 0, 1)
                return options
            }
            let backbone: any Backbone
            switch name {
            case "ncsnpp": backbone = try NCSNpp(small(.journal))
            case "ncsnpp_v2": backbone = try NCSNpp(small(.v2))
            case "ncsnpp_48k": backbone = try NCSNpp(small(.fullband))
            case "edm2":
                var options = EDM2Options()
                (options.modelChannels, options.channelMult, options.numBlocks) = (8, [1, 2], 1)
                (options.freqResolution, options.attnResolutions) = (32, [16])
                options.block.channelsPerHead = 8
                backbone = try EDM2(options)
            case "dcunet":
                var options = DCUNetOptions()
                options.architecture = .dcunet10
                backbone = try DCUNet(options)
            default:
                backbone = try ConditionedNCSNpp(small(.v2), NoiseConditioning(.film, width: 12))
            }
            return ScoreModel(
                backbone: backbone, sde: OUVE(),
                preconditioning: Preconditioning(networkScaling: .inverseSigma, output: .inverseSigma), output: .score)
        }

        private func shape(_ name: String) -> [Int] { name == "dcunet" ? [2, 33, 33, 2] : [2, 32, 24, 2] }

        /// A pass with inputs and times of its own.
        private func pass(_ model: ScoreModel, _ name: String, _ number: Int) -> Tensor {
            let embedding = name == "ncsnpp_v2_cond" ? noise("embedding \(number)", [2, 12]) : nil
            return model.network(
                noise("x \(number)", shape(name)), noise("y \(number)", shape(name)),
                [0.1 + 0.05 * Float(number), 0.9 - 0.1 * Float(number)], noise: embedding)
        }

        @Test(arguments: networks)
        func replaysGiveTheBitsOfTheirOperations(name: String) throws {
            let device = try #require(Plugin.device)
            let expected = try Device.with(device) {
                let model = try model(name)
                return Gradients.off { (0..<6).map { pass(model, name, $0).values } }
            }
            try recording { device in
                let model = try model(name)
                let before = device.counts
                let found = Gradients.off { (0..<6).map { pass(model, name, $0).values } }
                #expect(found == expected)
                #expect(device.counts.replays == before.replays + 4)
                // Copies of the inputs and of the result remain.
                let start = device.counts.operations
                _ = Gradients.off { pass(model, name, 7) }
                #expect(device.counts.operations - start < 10)
            }
        }

        /// Passes of several shapes have one memory, and threads take turns in it.
        @Test func shapesMayTakeTurns() throws {
            let device = try #require(Plugin.device)
            let widths = [24, 16, 40]
            @Sendable func results(_ model: ScoreModel, rounds: Int) -> [[Float]] {
                Gradients.off {
                    (0..<rounds).flatMap { round in
                        widths.map { width in
                            let shape = [2, 32, width, 2]
                            return model.network(
                                noise("x \(round) \(width)", shape), noise("y \(width)", shape),
                                [0.1 + 0.1 * Float(round), 0.5]
                            ).values
                        }
                    }
                }
            }
            let expected = try Device.with(device) { results(try model("ncsnpp_v2"), rounds: 6) }
            try recording { device in
                let (model, before) = (try model("ncsnpp_v2"), device.counts.replays)
                let expected = expected
                #expect(results(model, rounds: 6) == expected)
                #expect(device.counts.replays == before + 4 * widths.count)
                let found = Mutex<[[[Float]]]>([])
                DispatchQueue.concurrentPerform(iterations: 4) { _ in
                    let mine = Device.with(device) { results(model, rounds: 6) }
                    found.withLock { $0.append(mine) }
                }
                #expect(found.withLock { $0.allSatisfy { $0 == expected } && $0.count == 4 })
                #expect(device.counts.replays == before + 4 * widths.count + 4 * 6 * widths.count)
            }
        }

        @Test func weightsMayChangeInPlaceAndOnTheHost() throws {
            try recording { device in
                let (model, name) = (try model("ncsnpp_v2"), "ncsnpp_v2")
                let weight = try #require(model.backbone.parameters.first { $0.shape.count == 4 })
                func result() -> [Float] { Gradients.off { pass(model, name, 0).values } }
                let first = (0..<4).map { _ in result() }
                #expect(Set(first).count == 1)
                weight.assign(weight.tensor.detached.scaled(by: 2))
                let (before, second) = (device.counts.replays, result())
                #expect(second != first[0] && device.counts.replays == before + 1, "in place: replayed")
                weight.tensor.buffer.withMutableSpan { $0[0] += 1 }
                let third = (0..<4).map { _ in result() }
                #expect(Set(third).count == 1 && third[0] != second, "elsewhere: recorded anew")
                #expect(device.counts.replays > before + 1)
            }
        }

        private func train(_ model: ScoreModel, _ name: String, batches: Int = 1, steps: Int = 5) throws -> [[Float]] {
            let state = TrainingState(
                model: model, loss: ScoreMatchingLoss(), rate: 1e-3, averageDecay: 0.99, clip: 1e3)
            for step in 0..<steps {
                _ = try state.update(
                    (0..<batches).map { part in
                        var batch = TrainingBatchInput(
                            clean: noise("clean \(step) \(part)", shape(name), scale: 0.3),
                            noisy: noise("noisy \(step) \(part)", shape(name), scale: 0.3),
                            times: [0.3 + 0.1 * Double(step), 0.7], noise: noise("noise \(step) \(part)", shape(name)))
                        batch.dropout = (0..<2).map { RandomStream(seed: 4, purpose: "dropout", step, $0) }
                        return batch
                    })
            }
            return model.weights.map(\.parameter.tensor.values) + state.averages.map(\.values)
        }

        @Test(arguments: ["ncsnpp", "ncsnpp_v2", "ncsnpp_48k", "edm2", "ncsnpp_v2_cond"], [1, 2])
        func trainingsGiveTheBitsOfTheirOperations(name: String, batches: Int) throws {
            let device = try #require(Plugin.device)
            let expected = try Device.with(device) { try train(try model(name), name, batches: batches) }
            try recording { device in
                let before = device.counts
                let found = try train(try model(name), name, batches: batches)
                #expect(found == expected)
                // Forward and backward of all batches but the first two; those of edm2's first and later batches of a
                // step, which normalise its weights or not, are recorded apart.
                let computed = name == "edm2" ? 2 * batches : 2
                #expect(device.counts.replays == before.replays + 2 * (5 * batches - computed))
            }
        }

        @Test func aPassThatWaitsForItsWayBackIsNotOverwritten() throws {
            try recording { device in
                let (model, name) = (try model("ncsnpp_v2"), "ncsnpp_v2")
                func input(_ number: Int) -> Tensor { noise("x \(number)", shape(name)) }
                func forward(_ x: Tensor) -> Tensor { model.network(x, noise("y", shape(name)), [0.3, 0.8]) }
                func gradient(_ output: Tensor, _ leaf: Tensor) -> [Float] {
                    output.gradients(seed: noise("seed", output.shape))[leaf]?.values ?? []
                }
                let leaves = (0..<6).map { input($0).tracked() }
                let expected = leaves.prefix(4).map { gradient(forward($0), $0) }
                #expect(device.counts.replays > 0)
                let before = device.counts.replays
                let (first, second) = (forward(leaves[0]), forward(leaves[1]))
                #expect(device.counts.replays == before + 1, "the second is computed")
                #expect(gradient(second, leaves[1]) == expected[1])
                #expect(gradient(first, leaves[0]) == expected[0])
                // A pass that nobody goes back through lets go of the recording.
                _ = forward(leaves[2])
                let last = device.counts.replays
                #expect(gradient(forward(leaves[3]), leaves[3]) == expected[3])
                #expect(device.counts.replays == last + 2)
            }
        }

        /// Another thread brings the next batch meanwhile.
        @Test func othersMayUseTheHost() throws {
            try recording { device in
                let (model, name) = (try model("ncsnpp_v2"), "ncsnpp_v2")
                let isDone = Atomic(false)
                let rounds = Atomic(0)
                let ended = DispatchSemaphore(value: 0)
                Thread.detachNewThread {
                    Device.with(device) {
                        while !isDone.load(ordering: .relaxed) {
                            _ = noise("batch", [64]).scaled(by: 2).values
                            rounds.add(1, ordering: .relaxed)
                        }
                    }
                    ended.signal()
                }
                while rounds.load(ordering: .relaxed) == 0 { usleep(1000) }
                let before = device.counts.replays
                let results = Gradients.off { (0..<5).map { _ in pass(model, name, 0).values } }
                isDone.store(true, ordering: .relaxed)
                ended.wait()
                #expect(Set(results).count == 1)
                #expect(device.counts.replays == before + 3)
            }
        }

        @Test func dropoutIsNotRecorded() throws {
            try recording { device in
                var options = NCSNppOptions.v2
                (options.nf, options.chMult, options.numResBlocks, options.attnResolutions) = (8, [1, 2], 1, [])
                (options.imageSize, options.dropout) = (32, 0.3)
                let model = ScoreModel(
                    backbone: try NCSNpp(options), sde: OUVE(), preconditioning: nil, output: .score)
                let before = device.counts.replays
                let results = (0..<5).map { step in
                    let streams = (0..<2).map { RandomStream(seed: 4, purpose: "dropout", step, $0) }
                    return model.network(
                        noise("x", [2, 32, 24, 2]), noise("y", [2, 32, 24, 2]), [0.3, 0.8], .training(streams)
                    ).values
                }
                #expect(Set(results).count == 5 && results.joined().allSatisfy(\.isFinite))
                #expect(device.counts.replays == before)
            }
        }

        @Test func whatIsReadMeanwhileIsComputedAndNotRecorded() throws {
            try recording { device in
                let x = noise("x", [2, 5, 3, 2])
                _ = x.scaled(by: 1)
                let isRecorded = DeviceRecording(on: device, beside: nil) { _ = x.scaled(by: 2).sum().item } != nil
                #expect(!isRecorded)
                // The next one is not disturbed.
                var doubled: Tensor?
                let next = DeviceRecording(on: device, beside: nil) { doubled = x.scaled(by: 2) }
                try #require(next).replay()
                #expect(doubled?.values == x.values.map { 2 * $0 })
            }
        }

        @Test func samplingGivesTheSameStates() throws {
            let device = try #require(Plugin.device)
            let y = noise("y", [2, 32, 24, 2], scale: 0.3)
            func sample(_ model: ScoreModel) -> [Float] {
                var draws = NoiseSource.addressed(seed: 1, files: ["a", "b"])
                let sampler = PredictorCorrector(sde: OUVE(), corrector: .langevin(), steps: 5)
                return Gradients.off {
                    sampler.sample(given: y, noise: &draws) { x, y, t in model(x, y, [t, t]).scaled(by: 0.1) }.x.values
                }
            }
            let expected = try Device.with(device) { sample(try model("ncsnpp_v2")) }
            try recording { device in
                let before = device.counts.replays
                let found = sample(try model("ncsnpp_v2"))
                #expect(found == expected)
                #expect(device.counts.replays == before + 8)
            }
        }
    }
}
