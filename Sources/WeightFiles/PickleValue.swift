/// A Python value as data, read from a pickle without executing anything.
///
/// Classes and functions are names, tensors are descriptions of where their elements lie, and an instance
/// of a class is kept as the arguments and the state it would have been made from.
public indirect enum PickleValue: Hashable, Sendable {
    case none
    case bool(Bool)
    case int(Int)
    /// An integer beyond 64 bits: its little-endian two's complement.
    case bigInteger([UInt8])
    case float(Double)
    case string(String)
    case bytes([UInt8])
    case list([PickleValue])
    case tuple([PickleValue])
    case set([PickleValue])
    case dictionary(PickleDictionary)
    case tensor(TensorReference)
    /// A class or function, by name only.
    case reference(QualifiedName)
    case object(PickleObject)

    /// A Python class or function by its name, such as `torch._utils._rebuild_tensor_v2`; nothing is imported or
    /// called.
    public struct QualifiedName: Hashable, Sendable, CustomStringConvertible {
        /// The module, with dots.
        public var module: String
        /// The name inside the module.
        public var name: String
        public init(module: String, name: String) { (self.module, self.name) = (module, name) }
        public var description: String { "\(module).\(name)" }
    }
}

/// An instance that is not constructed: its class, and the arguments and state that Python would have used.
public struct PickleObject: Hashable, Sendable {
    /// The class: its module and name.
    public var type: PickleValue.QualifiedName
    /// The positional arguments that the class would be called with.
    public var arguments: [PickleValue]
    /// What `__setstate__` or `__dict__` would receive.
    public var state: PickleValue?
    /// The items that would be set by key, as in subclasses of `dict`.
    public var items: PickleDictionary
    /// The elements that would be appended, as in subclasses of `list`.
    public var elements: [PickleValue]
}

/// Where the elements of a tensor lie: a strided window of a storage, which several tensors may share.
public struct TensorReference: Hashable, Sendable {
    /// The key of the storage in its file.
    public var storage: String
    /// Number of elements of the whole storage.
    public var storageCount: Int
    /// Of the storage's elements.
    public var type: ElementType
    /// Where the tensor lived, such as `cpu` or `cuda:0`.
    public var device: String
    /// Index of the tensor's first element in the storage, in elements.
    public var offset: Int
    /// Extents of the axes; empty for a scalar.
    public var shape: [Int]
    /// Distance of neighbours along each axis, in elements.
    public var strides: [Int]

    public var count: Int { shape.reduce(1, *) }

    /// Whether the elements lie in row-major order without gaps.
    public var isContiguous: Bool {
        var expected = 1
        for (extent, stride) in zip(shape, strides).reversed() {
            if extent != 1, stride != expected { return false }
            expected *= extent
        }
        return true
    }
}

/// A dictionary that keeps the order of insertion, as Python's does.
public struct PickleDictionary: Hashable, Sendable {
    /// A key with its value.
    public struct Pair: Hashable, Sendable {
        /// Any value that Python can hash; a string in almost every checkpoint.
        public var key: PickleValue
        /// Replaced in place when the key is assigned again.
        public var value: PickleValue
    }

    /// All entries, in the order of insertion.
    public private(set) var pairs: [Pair] = []
    private var index: [PickleValue: Int] = [:]

    public init() {}

    /// The value of a key; `nil` where there is none, and assigning `nil` removes the key.
    public subscript(key: PickleValue) -> PickleValue? {
        get { index[key].map { pairs[$0].value } }
        set {
            guard let newValue else {
                if let position = index[key] {
                    pairs.remove(at: position)
                    index = Dictionary(uniqueKeysWithValues: pairs.enumerated().map { ($1.key, $0) })
                }
                return
            }
            if let position = index[key] {
                pairs[position].value = newValue
            } else {
                index[key] = pairs.count
                pairs.append(Pair(key: key, value: newValue))
            }
        }
    }

    /// The value of a string key.
    public subscript(key: String) -> PickleValue? {
        get { self[.string(key)] }
        set { self[.string(key)] = newValue }
    }

    /// Equal entries in the same order; Python's `==` ignores the order.
    public static func == (a: Self, b: Self) -> Bool { a.pairs == b.pairs }
    public func hash(into hasher: inout Hasher) { hasher.combine(pairs) }
}

extension PickleDictionary: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, PickleValue)...) {
        for (key, value) in elements { self[key] = value }
    }
}

// MARK: Views

extension PickleValue {
    /// Whether it is Python's `None`.
    public var isNone: Bool { self == .none }

    /// The Boolean; `nil` for anything else, integers included.
    public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The integer, or a Boolean as Python counts it.
    public var intValue: Int? {
        switch self {
        case .int(let value): value
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }

    /// The number, whether stored as float or integer.
    public var doubleValue: Double? {
        if case .float(let value) = self { value } else { intValue.map(Double.init) }
    }

    /// The string; `nil` for anything else, bytes included.
    public var stringValue: String? { if case .string(let value) = self { value } else { nil } }

    /// The tensor; `nil` for anything else.
    public var tensorValue: TensorReference? { if case .tensor(let value) = self { value } else { nil } }

    /// The elements of a list, tuple or set.
    public var elements: [PickleValue]? {
        switch self {
        case .list(let elements), .tuple(let elements), .set(let elements): elements
        default: nil
        }
    }

    /// The entries of a dictionary, or of an instance that stands for one (by items or by state).
    public var dictionaryValue: PickleDictionary? {
        switch self {
        case .dictionary(let dictionary): dictionary
        case .object(let object) where !object.items.pairs.isEmpty: object.items
        case .object(let object): object.state?.dictionaryValue
        default: nil
        }
    }
}

extension PickleValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .none }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .int(value) }
    public init(floatLiteral value: Double) { self = .float(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: PickleValue...) { self = .list(elements) }
    public init(dictionaryLiteral elements: (String, PickleValue)...) {
        var dictionary = PickleDictionary()
        for (key, value) in elements { dictionary[key] = value }
        self = .dictionary(dictionary)
    }
}
