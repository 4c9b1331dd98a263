/// Converts the graph of a pickle into a value; only a few calls are interpreted.
///
/// Known are tensors, parameters and plain containers. Instances of classes from a short list of packages
/// are kept as data. Every other call is refused by name: the file would need code to be run, which never happens.
struct PickleReader {
    private let graph: PickleGraph
    private let file: String
    private let place: String
    private var done: [PickleGraph.ID: PickleValue] = [:]
    /// The size of each value, with shared parts counted as often as they occur.
    private var extents: [PickleGraph.ID: Int] = [:]
    private var open: Set<PickleGraph.ID> = []
    /// The keys that lead to the value being read.
    private var keys: [String] = []
    /// The raw elements of storages that lie inside the pickle, by key; `nil` where none may.
    private var storages: [String: [UInt8]]?

    private static let depthLimit = 100
    private static let extentLimit = 16_000_000

    /// Reads the pickle at `start` of `bytes`; `place` names it in errors. Gives the value and where it ends.
    static func read(
        _ bytes: [UInt8], from start: Int = 0, file: String, place: String
    ) throws(WeightFileError) -> (value: PickleValue, end: Int) {
        let result: (graph: PickleGraph, root: PickleGraph.ID, end: Int)
        do { result = try PickleMachine.run(bytes, from: start) } catch {
            throw WeightFileError(
                error.reason, file: file, place: "byte \(error.position) of \(place)", error.summary,
                hint: error.reason == .unsupported ? nil : "the file is damaged")
        }
        var reader = PickleReader(graph: result.graph, file: file, place: place)
        return (try reader.value(result.root, depth: 0), result.end)
    }

    /// Reads a pickle whose tensors lie inside of it, each storage as bytes of its own.
    static func readWhole(
        _ bytes: [UInt8], file: String, place: String
    ) throws(WeightFileError) -> (value: PickleValue, storages: [String: [UInt8]]) {
        let result: (graph: PickleGraph, root: PickleGraph.ID, end: Int)
        do { result = try PickleMachine.run(bytes) } catch {
            throw WeightFileError(
                error.reason, file: file, place: "byte \(error.position) of \(place)", error.summary,
                hint: "the file is damaged")
        }
        var reader = PickleReader(graph: result.graph, file: file, place: place)
        reader.storages = [:]
        return (try reader.value(result.root, depth: 0), reader.storages ?? [:])
    }

    private init(graph: PickleGraph, file: String, place: String) {
        (self.graph, self.file, self.place) = (graph, file, place)
    }

    // MARK: Values

    private mutating func value(_ id: PickleGraph.ID, depth: Int) throws(WeightFileError) -> PickleValue {
        if case .leaf(let value) = graph.nodes[id] { return value }
        if let value = done[id] { return value }
        guard depth < Self.depthLimit else { throw failure(.tooLarge, "values nested deeper than \(Self.depthLimit)") }
        guard open.insert(id).inserted else { throw failure(.unsupported, "a value that contains itself") }
        let value: PickleValue
        switch graph.nodes[id] {
        case .leaf(let leaf): value = leaf
        case .list(let ids): value = .list(try values(ids, of: id, depth: depth))
        case .tuple(let ids): value = .tuple(try values(ids, of: id, depth: depth))
        case .set(let ids): value = .set(try values(ids, of: id, depth: depth))
        case .dictionary(let ids): value = .dictionary(try dictionary(ids, of: id, depth: depth))
        case .persistent(let inner): value = try values([inner], of: id, depth: depth)[0]
        case .instance(let instance): value = try self.value(of: instance, id: id, depth: depth)
        }
        open.remove(id)
        done[id] = value
        return value
    }

    private mutating func values(
        _ ids: [PickleGraph.ID], of parent: PickleGraph.ID, depth: Int, isKeyed: Bool = false
    ) throws(WeightFileError) -> [PickleValue] {
        var values: [PickleValue] = []
        values.reserveCapacity(ids.count)
        var extent = extents[parent] ?? 1
        for id in ids {
            let key = isKeyed && values.count % 2 == 1 ? values[values.count - 1].stringValue : nil
            if let key { keys.append(key) }
            values.append(try value(id, depth: depth + 1))
            if key != nil { keys.removeLast() }
            extent += extents[id] ?? 1
            guard extent < Self.extentLimit else {
                throw failure(.tooLarge, "values that repeat each other beyond all need")
            }
        }
        extents[parent] = extent
        return values
    }

    private mutating func dictionary(
        _ ids: [PickleGraph.ID], of parent: PickleGraph.ID, depth: Int
    ) throws(WeightFileError) -> PickleDictionary {
        let flat = try values(ids, of: parent, depth: depth, isKeyed: true)
        var dictionary = PickleDictionary()
        for position in stride(from: 0, to: flat.count, by: 2) {
            guard isKey(flat[position]), (extents[ids[position]] ?? 1) < 100 else {
                throw failure(.malformed, "a dictionary key that Python would not accept")
            }
            dictionary[flat[position]] = flat[position + 1]
        }
        return dictionary
    }

    private func isKey(_ value: PickleValue) -> Bool {
        switch value {
        case .none, .bool, .int, .bigInteger, .float, .string, .bytes, .reference: true
        case .tuple(let elements): elements.allSatisfy(isKey)
        case .object(let object): object.arguments.allSatisfy(isKey)
        default: false
        }
    }

    private func failure(
        _ reason: WeightFileError.Reason, _ summary: String, hint: String? = nil
    ) -> WeightFileError {
        WeightFileError(reason, file: file, place: place, summary, hint: hint)
    }
}

// MARK: Calls

extension PickleReader {
    private mutating func value(
        of instance: PickleGraph.Instance, id: PickleGraph.ID, depth: Int
    ) throws(WeightFileError) -> PickleValue {
        guard case .reference(let callee) = try value(instance.callee, depth: depth + 1),
            case .tuple(let argumentIDs) = graph.nodes[instance.arguments]
        else { throw failure(.malformed, "a call of something that has no name") }
        let arguments = try values(argumentIDs, of: id, depth: depth)
        let elements = try values(instance.elements, of: id, depth: depth)
        let items = try dictionary(instance.items, of: id, depth: depth)
        let state = try instance.state.map { (state) throws(WeightFileError) in
            try values([state], of: id, depth: depth)[0]
        }
        if callee.description == "torch.storage._load_from_bytes" { return try storage(arguments, id) }
        return try call(callee, arguments, elements: elements, items: items, state: state)
    }

    /// A storage that lies in the pickle as a file of its own, in the layout before PyTorch 1.6: what tensors refer to.
    private mutating func storage(_ arguments: [PickleValue], _ id: PickleGraph.ID) throws(WeightFileError)
        -> PickleValue
    {
        guard storages != nil, case .bytes(let bytes)? = arguments.first else {
            throw failure(.refused, "a storage where none can lie")
        }
        let (stored, data) = try TorchFile.embeddedStorage(bytes, file: file, place: "a storage of \(place)")
        guard let parts = stored.elements, parts.count >= 5, parts[0].stringValue == "storage" else {
            throw failure(.malformed, "a storage without its parts")
        }
        // Two storages of different pickles may have one key.
        let key = "\(id)"
        storages?[key] = data
        return .tuple([parts[0], parts[1], .string(key)] + parts[3...])
    }

    private func call(
        _ callee: PickleValue.QualifiedName, _ arguments: [PickleValue], elements: [PickleValue] = [],
        items: PickleDictionary = [:], state: PickleValue? = nil
    ) throws(WeightFileError) -> PickleValue {
        switch callee.description {
        case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3":
            return .tensor(try tensor(arguments))
        case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
            guard case .tensor(let tensor)? = arguments.first else {
                throw failure(.malformed, "a parameter without a tensor")
            }
            return .tensor(tensor)
        case "torch._tensor._rebuild_from_type_v2":
            guard arguments.count == 4, case .reference(let inner) = arguments[0],
                case .tuple(let innerArguments) = arguments[2]
            else { throw failure(.malformed, "a tensor subclass without its parts") }
            return try call(inner, innerArguments)
        case "collections.OrderedDict", "builtins.dict", "__builtin__.dict", "collections.defaultdict":
            return .dictionary(try merged(arguments, items))
        case "builtins.set", "__builtin__.set", "builtins.frozenset", "__builtin__.frozenset":
            return .set((arguments.first?.elements ?? []) + elements)
        case "builtins.list", "__builtin__.list":
            return .list((arguments.first?.elements ?? []) + elements)
        case "copyreg.__newobj__", "copy_reg.__newobj__":
            guard case .reference(let type)? = arguments.first else {
                throw failure(.malformed, "an object without a class")
            }
            return try call(type, Array(arguments.dropFirst()), elements: elements, items: items, state: state)
        case "torch.Size", "builtins.tuple", "__builtin__.tuple":
            return .tuple(arguments.first?.elements ?? [])
        case "builtins.bytearray", "__builtin__.bytearray", "builtins.bytes", "__builtin__.bytes", "_codecs.encode":
            return try bytes(callee, arguments)
        default:
            guard Self.keepsAsData(callee) else {
                throw WeightFileError(
                    .refused, file: file, place: place, "asks to call '\(callee)'; nothing was executed",
                    hint: "if you trust the file, save its state_dict and hyper_parameters alone from Python")
            }
            return .object(
                PickleObject(type: callee, arguments: arguments, state: state, items: items, elements: elements))
        }
    }

    /// Whether an instance may be kept as data: a class, by its spelling, of a package that checkpoints hold.
    private static func keepsAsData(_ name: PickleValue.QualifiedName) -> Bool {
        if exactNames.contains(name.description) { return true }
        guard packages.contains(String(name.module.prefix { $0 != "." })) || name.module.hasPrefix("torch.nn.modules.")
        else { return false }
        return name.name.first?.isUppercase == true && !name.name.contains(".")
    }

    private static let packages: Set = [
        "pytorch_lightning", "lightning", "lightning_fabric", "lightning_utilities", "torchmetrics", "torch_ema",
        "omegaconf", "sgmse", "argparse", "pathlib", "enum", "training", "dnnlib",
    ]
    private static let exactNames: Set = [
        "torch.device", "torch.dtype", "collections.Counter", "collections.deque", "datetime.datetime",
        "datetime.date", "datetime.timedelta", "decimal.Decimal", "fractions.Fraction", "uuid.UUID",
        "builtins.complex", "__builtin__.complex", "builtins.slice", "builtins.range",
        "numpy.dtype", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
        "torch.torch_version.TorchVersion", "copy_reg._reconstructor", "copyreg._reconstructor",
    ]

    /// `OrderedDict([(k, v), …])` and items set afterwards; `defaultdict`'s factory is dropped.
    private func merged(
        _ arguments: [PickleValue], _ items: PickleDictionary
    ) throws(WeightFileError) -> PickleDictionary {
        var dictionary = arguments.first?.dictionaryValue ?? [:]
        for pair in arguments.first?.elements ?? [] {
            guard let parts = pair.elements, parts.count == 2, isKey(parts[0]) else {
                throw failure(.malformed, "a dictionary made from something else than pairs")
            }
            dictionary[parts[0]] = parts[1]
        }
        for pair in items.pairs { dictionary[pair.key] = pair.value }
        return dictionary
    }

    private func bytes(
        _ callee: PickleValue.QualifiedName, _ arguments: [PickleValue]
    ) throws(WeightFileError) -> PickleValue {
        switch arguments.first {
        case nil: return .bytes([])
        case .bytes(let bytes)?: return .bytes(bytes)
        case .string(let text)? where arguments.count == 2 && ["latin1", "latin-1"].contains(arguments[1].stringValue):
            var bytes: [UInt8] = []
            for scalar in text.unicodeScalars {
                guard scalar.value < 256 else { throw failure(.malformed, "text that is not Latin-1") }
                bytes.append(UInt8(scalar.value))
            }
            return .bytes(bytes)
        default: throw failure(.unsupported, "a call of '\(callee)' with unexpected arguments")
        }
    }
}

// MARK: Tensors

extension PickleReader {
    /// `_rebuild_tensor…(storage, offset, size, stride, …)`, in version 3 with the type as seventh argument.
    private func tensor(_ arguments: [PickleValue]) throws(WeightFileError) -> TensorReference {
        guard arguments.count >= 4, let storage = arguments[0].elements, storage.count >= 5,
            storage[0].stringValue == "storage", case .reference(let storageType) = storage[1],
            let key = storage[2].stringValue, let device = storage[3].stringValue,
            var storageCount = storage[4].intValue, storageCount >= 0,
            var offset = arguments[1].intValue, offset >= 0,
            let shape = integers(arguments[2]), let strides = integers(arguments[3]), shape.count == strides.count
        else { throw failure(.malformed, "a tensor without its parts") }
        if storage.count > 5, let view = storage[5].elements, view.count >= 2, let start = view[1].intValue, start >= 0
        {
            offset = offset.addingReportingOverflow(start).partialValue  // a view of a storage, before PyTorch 0.4
        }
        let type: ElementType
        if arguments.count > 6, case .reference(let dtype) = arguments[6], let named = Self.dtypes[dtype.name] {
            type = named
            storageCount /= type.byteCount  // an untyped storage counts bytes
        } else if let named = Self.storageTypes[storageType.name] {
            type = named
        } else {
            var name = storageType
            if arguments.count > 6, case .reference(let dtype) = arguments[6] { name = dtype }
            throw unreadable(name)
        }
        let reference = TensorReference(
            storage: key, storageCount: storageCount, type: type, device: device, offset: offset, shape: shape,
            strides: strides)
        guard reference.isInside else {
            throw failure(
                .malformed, "a tensor of shape \(shape) and strides \(strides) beyond its \(storageCount) elements")
        }
        return reference
    }

    /// The tensor that is being read has a type that is none of ours.
    private func unreadable(_ type: PickleValue.QualifiedName) -> WeightFileError {
        WeightFileError(
            .unsupported, file: file, place: keys.last.map { "tensor '\($0)', \(place)" } ?? place,
            "a tensor of type '\(type)'",
            hint:
                """
                read are \(ElementType.allCases.map(\.rawValue).joined(separator: ", ")); save it as float32 from \
                Python
                """
        )
    }

    private func integers(_ value: PickleValue) -> [Int]? {
        guard let elements = value.elements else { return nil }
        let integers = elements.compactMap(\.intValue)
        return integers.count == elements.count && integers.allSatisfy { $0 >= 0 } ? integers : nil
    }

    static let storageTypes: [String: ElementType] = [
        "FloatStorage": .float32, "DoubleStorage": .float64, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
        "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16, "CharStorage": .int8,
        "ByteStorage": .uint8, "BoolStorage": .bool, "ComplexFloatStorage": .complex64,
        "ComplexDoubleStorage": .complex128,
    ]
    private static let dtypes: [String: ElementType] = [
        "uint16": .uint16, "uint32": .uint32, "uint64": .uint64, "float32": .float32, "float64": .float64,
        "float16": .float16, "bfloat16": .bfloat16, "int64": .int64, "int32": .int32, "int16": .int16, "int8": .int8,
        "uint8": .uint8, "bool": .bool, "complex64": .complex64, "complex128": .complex128,
    ]
}

extension TensorReference {
    /// Elements that no storage holds are only few: views that repeat elements stay small.
    private static let repeatLimit = 1 << 20

    /// Whether every element lies in the storage, and the tensor is not much larger than it.
    fileprivate var isInside: Bool {
        guard offset >= 0, let count = NamedArray.elementCount(of: shape),
            count <= max(storageCount, Self.repeatLimit)
        else { return false }
        guard count > 0 else { return true }
        var last = offset
        for (extent, stride) in zip(shape, strides) {
            let (span, tooLong) = (extent - 1).multipliedReportingOverflow(by: stride)
            let (sum, tooFar) = last.addingReportingOverflow(span)
            if tooLong || tooFar { return false }
            last = sum
        }
        return last >= 0 && last < storageCount
    }
}
