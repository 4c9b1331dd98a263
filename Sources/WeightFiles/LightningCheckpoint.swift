/// A checkpoint of PyTorch Lightning, a bare `.pt` file of weights, or a snapshot or training state of the EDM2 family.
///
/// Opening reads names, numbers and where the tensors lie; the weights are read by ``weights(_:parameters:)``.
public struct LightningCheckpoint: Sendable {
    /// A tensor of the state dictionary, by name.
    public struct Parameter: Hashable, Sendable {
        /// The name in `state_dict`, without the prefixes that wrappers of the training add.
        public var name: String
        /// Type, shape and place of the elements, which are not read yet.
        public var tensor: TensorReference
    }

    /// An exponential moving average of the parameters, as torch-ema keeps it.
    public struct MovingAverage: Hashable, Sendable {
        /// The decay `β`; NaN for an average of EDM2, which is a power function.
        public var decay: Double
        /// Number of updates; `nil` where the file does not count them.
        public var updates: Int?
        /// The averaged parameters, in the order of the network's parameters (buffers are not among them).
        public var shadow: [TensorReference]
        /// The raw weights that the averages replaced when they were last swapped in; never cleared, so often out of
        /// date.
        public var collected: [TensorReference]?
    }

    /// The file, from which tensors are read on demand.
    public let file: TorchFile
    /// Parameters and buffers of `state_dict`, in the order of the file.
    public private(set) var parameters: [Parameter]
    /// Prefixes of training wrappers that were removed from the names of the parameters.
    public private(set) var wrappers: [String] = []
    /// The arguments from which the reference built its model; empty where the file has none.
    public let hyperParameters: PickleDictionary
    /// The average beside `state_dict`; `nil` where there is none, or `state_dict` is itself the average.
    public let movingAverage: MovingAverage?
    /// Whether the state dictionary is a moving average by itself, as in a snapshot of EDM2.
    public let stateIsAverage: Bool
    /// The module that a snapshot holds as a whole, for its attributes.
    public let module: PickledModule?
    /// Lightning's epoch counter, from 0; `nil` where the file has none.
    public let epoch: Int?
    /// Optimizer steps done, or for a training state of EDM2 the updates of Adam; `nil` where the file has none.
    public let globalStep: Int?
    /// The version of Lightning that wrote the file; `nil` for other writers.
    public let lightningVersion: String?

    /// The whole content, for what is not listed here.
    public var contents: PickleDictionary { file.value.dictionaryValue ?? [:] }

    /// The first optimizer's state, such as `state` and `param_groups` of Adam.
    public var optimizer: PickleDictionary? {
        contents["optimizer_states"]?.elements?.first?.dictionaryValue ?? contents["optimizer"]?.dictionaryValue
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
        module = contents["ema"].flatMap(PickledModule.init)
        stateIsAverage = module != nil
        // A training state of EDM2 has a part for the network; a bare file of weights is its own state dictionary.
        let averages = contents["ema"]?.dictionaryValue?["emas"]?.elements ?? []
        let states =
            module.map(Self.dictionary) ?? contents["state_dict"] ?? (averages.isEmpty ? nil : contents["net"])
            ?? file.value
        guard let states = states.dictionaryValue else {
            throw WeightFileError(.malformed, file: file.path, place: "state_dict", "is no dictionary")
        }
        var parameters: [Parameter] = []
        for pair in states.pairs {
            guard let name = pair.key.stringValue, let tensor = pair.value.tensorValue else {
                guard contents["state_dict"] != nil else { continue }
                throw WeightFileError(
                    .malformed, file: file.path, place: "state_dict", "holds something that is no tensor")
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
        globalStep = contents["global_step"]?.intValue ?? Self.steps(contents)
        lightningVersion = contents["pytorch-lightning_version"]?.stringValue
        movingAverage = try contents["ema"].flatMap { (ema) throws(WeightFileError) in
            if ema.isNone || PickledModule(ema) != nil { return nil }
            return try averages.isEmpty
                ? Self.movingAverage(ema, file: file.path)
                : Self.movingAverage(averages[0], of: parameters, file: file.path)
        }
        try checkSizes()
    }

    /// The same checkpoint with its parameters under other names.
    public func renamed(_ name: (String) -> String) -> LightningCheckpoint {
        var renamed = self
        renamed.parameters = parameters.map { Parameter(name: name($0.name), tensor: $0.tensor) }
        return renamed
    }

    private static func dictionary(_ module: PickledModule) -> PickleValue {
        .dictionary(module.tensors().reduce(into: PickleDictionary()) { $0[$1.name] = .tensor($1.tensor) })
    }

    /// The steps of a training state of EDM2, which counts examples: those that Adam's moments have seen, if it says
    /// so.
    private static func steps(_ contents: PickleDictionary) -> Int? {
        contents["optimizer"]?.dictionaryValue?["state"]?.dictionaryValue?.pairs.lazy.compactMap {
            $0.value.dictionaryValue?["step"]?.intValue
        }.first
    }

    /// The averages of the EDM2 family: state dictionaries, buffers and all; the first one is taken.
    private static func movingAverage(
        _ value: PickleValue, of parameters: [Parameter], file: String
    ) throws(WeightFileError) -> MovingAverage {
        let averaged = value.dictionaryValue ?? [:]
        var shadow: [TensorReference] = []
        for parameter in parameters where !isBuffer(parameter.name) {
            guard let tensor = averaged[parameter.name]?.tensorValue else {
                throw WeightFileError(.malformed, file: file, place: "ema.emas", "has no '\(parameter.name)'")
            }
            shadow.append(tensor)
        }
        return MovingAverage(decay: .nan, updates: nil, shadow: shadow, collected: nil)
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

    /// Tensors that share storages are read separately; their total size is limited to a multiple of the file's.
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
