/// A checkpoint of PyTorch Lightning, or a bare `.pt` file of weights.
///
/// Opening reads names, numbers and where the tensors lie; the weights are read by ``weights(_:parameters:)``.
public struct LightningCheckpoint: Sendable {
    /// A tensor of the state dictionary, by name.
    public struct Parameter: Hashable, Sendable {
        public var name: String
        public var tensor: TensorReference
    }

    /// An exponential moving average of the parameters, as torch-ema keeps it.
    public struct MovingAverage: Hashable, Sendable {
        public var decay: Double
        public var updates: Int?
        /// The averaged parameters, in the order of the network's parameters (buffers are not among them).
        public var shadow: [TensorReference]
        /// What the averages replaced when they were last swapped in; never cleared, so often out of date.
        public var collected: [TensorReference]?
    }

    public let file: TorchFile
    public private(set) var parameters: [Parameter]
    /// Words that wrappers of the training had put into the names of the parameters, and that were left out.
    public private(set) var wrappers: [String] = []
    public let hyperParameters: PickleDictionary
    public let movingAverage: MovingAverage?
    public let epoch: Int?
    public let globalStep: Int?
    public let lightningVersion: String?

    /// The whole content, for what is not listed here.
    public var contents: PickleDictionary { file.value.dictionaryValue ?? [:] }

    /// The first optimizer's state, such as `state` and `param_groups` of Adam.
    public var optimizer: PickleDictionary? {
        contents["optimizer_states"]?.elements?.first?.dictionaryValue
    }

    public init(path: String) throws(WeightFileError) {
        try self.init(TorchFile(path: path))
    }

    /// Reads a checkpoint that lies in memory; `name` stands for the path in errors.
    public init(bytes: [UInt8], name: String) throws(WeightFileError) {
        try self.init(TorchFile(ByteSource(bytes, name: name)))
    }

    init(_ file: TorchFile) throws(WeightFileError) {
        guard let contents = file.value.dictionaryValue else {
            throw WeightFileError(.unsupported, file: file.path, "holds no dictionary", hint: "save a state_dict")
        }
        self.file = file
        // A bare file of weights is its own state dictionary.
        let states = contents["state_dict"] ?? file.value
        guard let states = states.dictionaryValue else {
            throw WeightFileError(.malformed, file: file.path, place: "state_dict", "is no dictionary")
        }
        var parameters: [Parameter] = []
        for pair in states.pairs {
            guard let name = pair.key.stringValue, let tensor = pair.value.tensorValue else {
                guard contents["state_dict"] != nil else { continue }
                throw WeightFileError(.malformed, file: file.path, place: "state_dict", "holds something that is no tensor")
            }
            parameters.append(Parameter(name: name, tensor: tensor))
        }
        guard !parameters.isEmpty else {
            throw WeightFileError(.missing, file: file.path, "holds no weights", hint: "is this a checkpoint?")
        }
        let (names, wrappers) = WrapperNames.stripped(parameters.map(\.name))
        self.parameters = zip(names, parameters).map { Parameter(name: $0, tensor: $1.tensor) }
        self.wrappers = wrappers
        hyperParameters = contents["hyper_parameters"]?.dictionaryValue ?? [:]
        epoch = contents["epoch"]?.intValue
        globalStep = contents["global_step"]?.intValue
        lightningVersion = contents["pytorch-lightning_version"]?.stringValue
        movingAverage = try contents["ema"].flatMap { (ema) throws(WeightFileError) in
            try ema.isNone ? nil : Self.movingAverage(ema, file: file.path)
        }
        try checkSizes()
    }

    /// The same checkpoint with its parameters under other names.
    public func renamed(_ name: (String) -> String) -> LightningCheckpoint {
        var renamed = self
        renamed.parameters = parameters.map { Parameter(name: name($0.name), tensor: $0.tensor) }
        return renamed
    }

    private static func movingAverage(
        _ value: PickleValue, file: String
    ) throws(WeightFileError) -> MovingAverage {
        func tensors(_ value: PickleValue?) throws(WeightFileError) -> [TensorReference]? {
            guard let value, !value.isNone else { return nil }
            guard let elements = value.elements, case let tensors = elements.compactMap(\.tensorValue),
                tensors.count == elements.count
            else {
                throw WeightFileError(.malformed, file: file, place: "ema", "its parameters are no list of tensors")
            }
            return tensors
        }
        guard let ema = value.dictionaryValue, let shadow = try tensors(ema["shadow_params"]) else {
            throw WeightFileError(.malformed, file: file, place: "ema", "has no shadow_params")
        }
        return MovingAverage(
            decay: ema["decay"]?.doubleValue ?? .nan, updates: ema["num_updates"]?.intValue, shadow: shadow,
            collected: try tensors(ema["collected_params"]))
    }

    /// Tensors that share storages may be read apart, but not made many times the file out of.
    private func checkSizes() throws(WeightFileError) {
        let averages = (movingAverage?.shadow ?? []) + (movingAverage?.collected ?? [])
        let limit = file.storedBytes.multipliedReportingOverflow(by: 4)
        var total = limit.overflow ? 0 : -limit.partialValue
        for tensor in parameters.map(\.tensor) + averages {
            let (sum, overflow) = total.addingReportingOverflow(tensor.count)
            guard !overflow, sum <= 1 << 22 else {
                throw WeightFileError(
                    .tooLarge, file: file.path, "its tensors claim many times the size of the file",
                    hint: "the file looks hostile")
            }
            total = sum
        }
    }
}
