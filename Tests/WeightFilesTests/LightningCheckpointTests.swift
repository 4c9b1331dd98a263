import Testing
import WeightFiles

/// `fit_bridge_perceptual` and `older_layout_no_ema` are checkpoints of the reference's training, with the
/// weights it extracted; the small ones imitate the states that training leaves files in.
@Suite struct LightningCheckpointTests {
    private func expectEqual(_ weights: LightningCheckpoint.Weights, _ path: String) throws {
        let expected = try SafetensorsFile(path: path)
        let arrays = Dictionary(uniqueKeysWithValues: weights.arrays.map { ($0.name ?? "", $0) })
        #expect(!expected.entries.isEmpty)
        for entry in expected.entries {
            #expect(arrays[entry.name] == (try expected.array(entry.name)), "\(entry.name)")
        }
    }

    @Test func buffersAndPerceptualConstantsDoNotShiftTheAverages() throws {
        let checkpoint = try LightningCheckpoint(path: fixture("fit_bridge_perceptual/model.ckpt"))
        #expect(checkpoint.epoch == 1)
        #expect(checkpoint.globalStep == 3)
        #expect(checkpoint.hyperParameters["sde"] == "sbve")
        #expect(
            checkpoint.hyperParameters["data_module_cls"]
                == .reference(.init(module: "sgmse.data_module", name: "SpecsDataModule")))
        #expect(checkpoint.parameters.count == 87)
        #expect(checkpoint.movingAverage?.shadow.count == 77)
        #expect(checkpoint.optimizer?["state"]?.dictionaryValue != nil)
        let averaged = try checkpoint.weights(.averagedIfPresent)
        #expect(averaged.origin == .shadow)
        try expectEqual(averaged, fixture("fit_bridge_perceptual/weights_ema.safetensors"))
        let raw = try checkpoint.weights(.raw)
        #expect(raw.origin == .stateDict)
        try expectEqual(raw, fixture("fit_bridge_perceptual/weights_raw.safetensors"))
    }

    @Test func withoutAveragesTheRawWeightsAreUsedAndItIsSaid() throws {
        let checkpoint = try LightningCheckpoint(path: fixture("older_layout_no_ema/model.ckpt"))
        let weights = try checkpoint.weights(.averagedIfPresent)
        #expect(weights.origin == .stateDict)
        #expect(!weights.areAveraged)
        #expect(weights.remark != nil)
        try expectEqual(weights, fixture("older_layout_no_ema/weights_raw.safetensors"))
        #expect(failure { _ = try checkpoint.weights(.averaged) } == .missing)
    }

    @Test(
        arguments: [
            ("swapped.ckpt", LightningCheckpoint.Origin.collected, false, [1, 2, 3]),
            ("stale.ckpt", .stateDict, false, [1, 2, 3]),
            ("lost.ckpt", .collected, true, [0.5, 1.5, 2.5]),
            ("only_average.ckpt", .stateDict, true, [0.5, 1.5, 2.5]),
            ("deflated.ckpt", .stateDict, false, [1, 2, 3]),
            ("zip64.ckpt", .stateDict, false, [1, 2, 3]),
        ] as [(String, LightningCheckpoint.Origin, Bool, [Float])])
    func rawWeightsAreFoundWhereTrainingLeftThem(
        name: String, origin: LightningCheckpoint.Origin, areAveraged: Bool, values: [Float]
    ) throws {
        let checkpoint = try LightningCheckpoint(path: fixture(name))
        let raw = try checkpoint.weights(.raw)
        #expect(raw.origin == origin)
        #expect(raw.areAveraged == areAveraged)
        #expect((raw.remark != nil) == (origin == .collected || areAveraged))
        #expect(raw.arrays.prefix(2).flatMap(\.values) == values)
        let stored = try checkpoint.weights(.stored)
        #expect(stored.origin == .stateDict)
        #expect(stored.areAveraged == (origin == .collected || areAveraged))
        let averaged = try checkpoint.weights(.averaged, parameters: ["dnn.a.weight", "dnn.a.bias"])
        #expect(averaged.arrays.prefix(2).flatMap(\.values) == [0.5, 1.5, 2.5])
        #expect(averaged.arrays.last?.integers == [4])  // buffers come with either
    }

    @Test func averagesOfAnotherNetworkAreAnError() throws {
        let checkpoint = try LightningCheckpoint(path: fixture("stale.ckpt"))
        #expect(failure { _ = try checkpoint.weights(.averaged, parameters: ["dnn.a.weight"]) } == .malformed)
        #expect(
            failure { _ = try checkpoint.weights(.averaged, parameters: ["dnn.a.bias", "dnn.a.weight"]) } == .malformed)
    }

    @Test func aBareStateDictionaryIsACheckpointWithoutMore() throws {
        let checkpoint = try LightningCheckpoint(path: fixture("tensors.pt"))
        #expect(checkpoint.parameters.count == 16)
        #expect(checkpoint.hyperParameters.pairs.isEmpty)
        #expect(checkpoint.movingAverage == nil)
    }

    @Test func whatIsWrittenIsRead() throws {
        let weights = [
            NamedArray(name: "dnn.a", shape: [2, 3], values: (0..<6).map { Float($0) / 7 }),
            NamedArray(name: "dnn.count", shape: [], integers: [1 << 40]),
            NamedArray(name: "dnn.empty", shape: [0, 2], values: []),
        ]
        let hyperParameters: PickleDictionary = [
            "lr": 1e-4, "ch_mult": [1, 2], "window": "hann", "none": nil, "big": .int(1 << 40),
            "deep": ["a": .tuple([1, true])],
            "data_module_cls": .reference(.init(module: "sgmse.data_module", name: "SpecsDataModule")),
        ]
        let average = NamedArray(shape: [2, 3], values: [Float](repeating: 0.5, count: 6))
        let draft = LightningCheckpoint.Draft(
            weights: weights, hyperParameters: hyperParameters,
            average: .init(decay: 0.999, updates: 12, parameters: [average]), epoch: 3, globalStep: 400)
        try withTemporaryFile("a.ckpt") { path in
            try LightningCheckpoint.write(draft, to: path)
            let checkpoint = try LightningCheckpoint(path: path)
            #expect(checkpoint.hyperParameters == hyperParameters)
            #expect((checkpoint.epoch, checkpoint.globalStep) == (3, 400))
            #expect(checkpoint.movingAverage?.updates == 12)
            #expect(try checkpoint.weights(.raw, parameters: ["dnn.a"]).arrays == weights)
            #expect(try checkpoint.weights(.averaged, parameters: ["dnn.a"]).arrays[0].values == average.values)
        }
    }

    @Test func theOptimizersStateBelongsToItsParameters() throws {
        let checkpoint = try LightningCheckpoint(path: fixture("fit_bridge_perceptual/model.ckpt"))
        let names = checkpoint.parameters.map(\.name).filter { !$0.hasPrefix("pesq_loss.") }
        let adam = try #require(try checkpoint.adam(parameters: names))
        #expect(adam.updates == 3)
        // All but the fixed frequencies are trained; the loss's constants, behind them, are not the network's.
        #expect(Set(names).subtracting(adam.moments.keys) == ["dnn.all_modules.0.W"])
        #expect(adam.moments.values.allSatisfy { $0.second.values.allSatisfy { $0 >= 0 } })
        // In another order the shapes do not fit.
        #expect(throws: WeightFileError.self) { try checkpoint.adam(parameters: names.reversed()) }
    }

    @Test func momentsThatDoNotFitAreRefused() throws {
        let weights = ["dnn.a", "dnn.b"].map { NamedArray(name: $0, shape: [2], values: [1, 2]) }
        func written(_ moment: NamedArray) throws -> LightningCheckpoint.Adam? {
            let adam = LightningCheckpoint.Adam(updates: 7, moments: ["dnn.b": (moment, moment)])
            let draft = LightningCheckpoint.Draft(
                weights: weights, hyperParameters: [:],
                optimizer: .init(rate: 1e-3, state: adam, parameters: ["dnn.a", "dnn.b"]))
            return try withTemporaryFile("a.ckpt") { path in
                try LightningCheckpoint.write(draft, to: path)
                return try LightningCheckpoint(path: path).adam(parameters: ["dnn.a", "dnn.b"])
            }
        }
        let good = try written(NamedArray(shape: [2], values: [0.5, 0.25]))
        #expect(good?.updates == 7)
        #expect(good?.moments["dnn.b"]?.first.values == [0.5, 0.25])
        #expect(good?.moments["dnn.a"] == nil)
        #expect(throws: WeightFileError.self) { try written(NamedArray(shape: [3], values: [1, 2, 3])) }
        #expect(throws: WeightFileError.self) { try written(NamedArray(shape: [2], values: [1, .nan])) }
    }

    /// PyTorch goes on with the factors that the file states, not with those of its own options.
    @Test func theOptimizerStatesItsFactors() throws {
        let moment = NamedArray(shape: [1], values: [0.5])
        let draft = LightningCheckpoint.Draft(
            weights: [NamedArray(name: "dnn.a", shape: [1], values: [1])], hyperParameters: [:],
            optimizer: .init(
                rate: 1e-3, beta2: 0.99, state: .init(updates: 1, moments: ["dnn.a": (moment, moment)]),
                parameters: ["dnn.a"]))
        try withTemporaryFile("a.ckpt") { path in
            try LightningCheckpoint.write(draft, to: path)
            let optimizer = try TorchFile(path: path).value.dictionaryValue?["optimizer_states"]?.elements?.first
            let group = optimizer?.dictionaryValue?["param_groups"]?.elements?.first?.dictionaryValue
            #expect(group?["betas"] == .tuple([0.9, 0.99]) && group?["lr"] == .float(1e-3))
        }
    }
}
