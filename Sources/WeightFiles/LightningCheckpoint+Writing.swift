extension LightningCheckpoint {
    /// What is written into a checkpoint.
    public struct Draft: Sendable {
        /// The state dictionary: the raw weights and the buffers, named and in the network's order.
        public var weights: [NamedArray]
        /// `hyper_parameters`: the arguments from which the reference builds its model.
        public var hyperParameters: PickleDictionary
        /// The moving average; `nil` leaves `ema` out of the file.
        public var average: Average?
        /// The state of Adam; `nil` leaves `optimizer_states` empty, and a training that goes on begins it anew.
        public var optimizer: Optimizer?
        /// Whole epochs done.
        public var epoch = 0
        /// Optimizer steps done.
        public var globalStep = 0
        /// The version of Lightning whose layout this is; its loader migrates files of older ones.
        public var lightningVersion = "2.1.4"

        /// `ema` of the file, as torch-ema stores it.
        public struct Average: Sendable {
            /// The decay `β` to which torch-ema's warm-up rises.
            public var decay: Double
            /// Number of updates so far; the next decay is `min(β, (1 + n)/(10 + n))`.
            public var updates: Int
            /// The averaged parameters in the order of the network's parameters, without buffers.
            public var parameters: [NamedArray]

            public init(decay: Double, updates: Int, parameters: [NamedArray]) {
                (self.decay, self.updates, self.parameters) = (decay, updates, parameters)
            }
        }

        /// Adam, with the settings that are PyTorch's defaults but for the rate.
        public struct Optimizer: Sendable {
            /// The learning rate.
            public var rate: Double
            /// The factor β₂ by which Adam's average of squared gradients falls in a step.
            public var beta2: Double
            /// Moments by parameter name, and the updates that they have seen.
            public var state: Adam
            /// The network's parameters in order, by which the file numbers them.
            public var parameters: [String]

            public init(rate: Double, beta2: Double = 0.999, state: Adam, parameters: [String]) {
                (self.rate, self.beta2, self.state, self.parameters) = (rate, beta2, state, parameters)
            }
        }

        public init(
            weights: [NamedArray], hyperParameters: PickleDictionary, average: Average? = nil,
            optimizer: Optimizer? = nil,
            epoch: Int = 0, globalStep: Int = 0
        ) {
            (self.weights, self.hyperParameters, self.average) = (weights, hyperParameters, average)
            (self.optimizer, self.epoch, self.globalStep) = (optimizer, epoch, globalStep)
        }
    }

    /// Writes a checkpoint that `torch.load`, Lightning's `load_from_checkpoint`, and a resuming `Trainer.fit` read.
    ///
    /// - Precondition: Every array of `draft.weights` has a name.
    public static func write(_ draft: Draft, to path: String) throws(WeightFileError) {
        var storages: [NamedArray] = []
        func stored(_ array: NamedArray) -> PickleValue {
            storages.append(array)
            return .tensor(TensorReference(storing: array, key: "\(storages.count - 1)"))
        }
        var states: PickleDictionary = [:]
        for array in draft.weights {
            guard let name = array.name else { preconditionFailure("weights of shape \(array.shape) have no name") }
            states[name] = stored(array)
        }
        var contents: PickleDictionary = [
            "epoch": .int(draft.epoch), "global_step": .int(draft.globalStep),
            "pytorch-lightning_version": .string(draft.lightningVersion), "state_dict": .dictionary(states),
            "loops": draft.progress, "callbacks": [:],
            "optimizer_states": .list(draft.optimizer.map { [$0.pickled(stored)] } ?? []), "lr_schedulers": [],
            "hparams_name": "kwargs", "hyper_parameters": .dictionary(draft.hyperParameters),
        ]
        if let average = draft.average {
            contents["ema"] = [
                "decay": .float(average.decay), "num_updates": .int(average.updates),
                "shadow_params": .list(average.parameters.map(stored)), "collected_params": nil,
            ]
        }
        try write(.dictionary(contents), storages, to: path)
    }

    /// Writes a state dictionary by itself, as `torch.save(net.state_dict())` does.
    ///
    /// - Precondition: Every array has a name.
    public static func writeState(_ arrays: [NamedArray], to path: String) throws(WeightFileError) {
        var states: PickleDictionary = [:]
        for (number, array) in arrays.enumerated() {
            guard let name = array.name else { preconditionFailure("weights of shape \(array.shape) have no name") }
            states[name] = .tensor(TensorReference(storing: array, key: "\(number)"))
        }
        try write(.dictionary(states), arrays, to: path)
    }

    private static func write(_ value: PickleValue, _ storages: [NamedArray], to path: String) throws(WeightFileError) {
        var archive = try ZipWriter(path: path)
        try archive.add("archive/data.pkl", PickleWriter.pickle(value))
        try archive.add("archive/byteorder", Array("little".utf8))
        for (key, array) in storages.enumerated() { try archive.add("archive/data/\(key)", array) }
        try archive.add("archive/version", Array("3\n".utf8))
        try archive.finish()
    }
}

extension LightningCheckpoint.Draft {
    /// The progress counters of Lightning's loops: whole epochs and optimizer steps.
    fileprivate var progress: PickleValue {
        func counts(_ number: Int, _ names: [String]) -> PickleValue {
            .dictionary(names.reduce(into: PickleDictionary()) { $0[$1] = .int(number) })
        }
        func twice(_ number: Int, _ names: String...) -> PickleValue {
            ["total": counts(number, names), "current": counts(number, names)]
        }
        return [
            "fit_loop": [
                "state_dict": [:], "epoch_loop.state_dict": ["_batches_that_stepped": .int(globalStep)],
                "epoch_loop.automatic_optimization.state_dict": [:],
                "epoch_loop.automatic_optimization.optim_progress": [
                    "optimizer": [
                        "step": twice(globalStep, "ready", "completed"),
                        "zero_grad": twice(globalStep, "ready", "started", "completed"),
                    ]
                ],
                "epoch_progress": twice(epoch, "ready", "started", "processed", "completed"),
            ]
        ]
    }
}

extension LightningCheckpoint.Draft.Optimizer {
    /// The state as `torch.optim.Adam.load_state_dict` takes it.
    fileprivate func pickled(_ stored: (NamedArray) -> PickleValue) -> PickleValue {
        var states: PickleDictionary = [:]
        for (number, name) in parameters.enumerated() {
            guard let moments = state.moments[name] else { continue }
            states[.int(number)] = [
                "step": stored(NamedArray(shape: [], values: [Float(state.updates)])),
                "exp_avg": stored(moments.first), "exp_avg_sq": stored(moments.second),
            ]
        }
        let group: PickleValue = [
            "lr": .float(rate), "betas": .tuple([0.9, .float(beta2)]), "eps": 1e-8, "weight_decay": 0, "amsgrad": false,
            "maximize": false, "foreach": nil, "capturable": false, "differentiable": false, "fused": nil,
            "params": .list(parameters.indices.map { .int($0) }),
        ]
        return ["state": .dictionary(states), "param_groups": [group]]
    }
}

extension TensorReference {
    /// The whole of a storage that holds `array` row-major.
    fileprivate init(storing array: NamedArray, key: String) {
        var strides = [Int](repeating: 1, count: array.shape.count)
        for axis in array.shape.indices.dropLast().reversed() {
            strides[axis] = strides[axis + 1] * max(1, array.shape[axis + 1])
        }
        self.init(
            storage: key, storageCount: array.values.count, type: array.writtenType, device: "cpu", offset: 0,
            shape: array.shape, strides: strides)
    }
}
