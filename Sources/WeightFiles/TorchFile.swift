/// A file of `torch.save`: one value, and the storages of its tensors.
///
/// Reads the zip layout (PyTorch 1.6 and later) and the plain one before it. Nothing in the file is
/// executed. Opening reads the value; the elements of a tensor are read when asked for.
public struct TorchFile: Sendable {
    /// The value that was saved.
    public let value: PickleValue
    /// The path of the file, or the name given for bytes in memory.
    public var path: String { source.name }
    private let source: ByteSource
    private let layout: Layout

    private enum Layout: Sendable {
        case archive(ZipArchive, prefix: String)
        /// Where the elements of each storage begin.
        case plain([String: Int])
        /// The raw elements of each storage, read from the pickle that contains them.
        case inside([String: [UInt8]])
    }

    private static let pickleLimit = 32 << 20
    /// Of a pickle that holds the tensors too.
    private static let wholeLimit = 1 << 30
    private static let magic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]

    public init(path: String) throws(WeightFileError) {
        try self.init(ByteSource(path: path))
    }

    init(_ source: ByteSource) throws(WeightFileError) {
        self.source = source
        let start = try source.read(0..<min(16, source.count), place: "start")
        if ZipArchive.begins(start) {
            let archive = try ZipArchive(source)
            guard
                let pickle = archive.entries.keys.filter({ $0.hasSuffix("/data.pkl") }).min(by: { $0.count < $1.count })
            else {
                throw WeightFileError(
                    .unsupported, file: source.name, "a zip archive without data.pkl",
                    hint: "only files of torch.save are read")
            }
            let prefix = String(pickle.dropLast("data.pkl".count))
            if archive.entries[prefix + "byteorder"] != nil,
                try archive.read(prefix + "byteorder", limit: 16) != Array("little".utf8)
            {
                throw WeightFileError(.unsupported, file: source.name, "its numbers are big-endian")
            }
            let bytes = try archive.read(pickle, limit: Self.pickleLimit)
            value = try PickleReader.read(bytes, file: source.name, place: "data.pkl").value
            layout = .archive(archive, prefix: prefix)
        } else if start.count >= 14, start[0] == 0x80, start[2] == 0x8A, Array(start[4..<14]) == Self.magic {
            (value, layout) = try Self.plain(source)
        } else if start.count >= 2, start[0] == 0x80, (2...5).contains(start[1]) {
            guard source.count <= Self.wholeLimit else {
                throw WeightFileError(
                    .tooLarge, file: source.name, "a bare pickle of \(source.count) bytes",
                    hint: "save its state_dict alone from Python")
            }
            let (found, storages) = try PickleReader.readWhole(
                try source.read(0..<source.count, place: "the pickle"), file: source.name, place: "the pickle")
            (value, layout) = (found, .inside(storages))
        } else {
            if let foreign = try ForeignFile.error(source) { throw foreign }
            throw WeightFileError(
                .unsupported, file: source.name, "begins neither like a zip archive nor like an older PyTorch file",
                hint: "only files of torch.save are read")
        }
    }

    /// The elements of `tensor`, row-major.
    public func array(_ tensor: TensorReference, name: String? = nil) throws(WeightFileError) -> NamedArray {
        let stored: ElementType.Elements
        switch layout {
        case .archive(let archive, let prefix):
            stored = try archive.elements(
                "\(prefix)data/\(tensor.storage)", as: tensor.type, count: tensor.storageCount)
        case .plain(let offsets):
            guard let offset = offsets[tensor.storage] else {
                throw WeightFileError(.malformed, file: path, "has no storage '\(tensor.storage)'")
            }
            stored = try source.elements(
                tensor.type, count: tensor.storageCount, at: offset, place: "storage '\(tensor.storage)'")
        case .inside(let storages):
            guard let bytes = storages[tensor.storage] else {
                throw WeightFileError(.malformed, file: path, "has no storage '\(tensor.storage)'")
            }
            stored = try ByteSource(bytes, name: path).elements(
                tensor.type, count: tensor.storageCount, at: 0, place: "storage '\(tensor.storage)'")
        }
        return NamedArray(
            name: name, shape: tensor.shape, type: tensor.type, elements: tensor.gather(from: stored))
    }

    /// The bytes that all storages together take when read; bounds what a file can make a reader hold.
    var storedBytes: Int {
        if case .archive(let archive, _) = layout { archive.totalSize } else { source.count }
    }
}

extension TorchFile {
    /// A storage saved by itself in the layout before PyTorch 1.6: its persistent identifier and its elements.
    static func embeddedStorage(
        _ bytes: [UInt8], file: String, place: String
    ) throws(WeightFileError) -> (value: PickleValue, data: [UInt8]) {
        guard bytes.count >= 14, bytes[0] == 0x80, bytes[2] == 0x8A, Array(bytes[4..<14]) == magic else {
            throw WeightFileError(.malformed, file: file, place: place, "does not begin like a file of torch.save")
        }
        var (position, values) = (0, [PickleValue]())
        for part in ["magic number", "version", "system", "identifier", "storage list"] {
            let (value, end) = try PickleReader.read(bytes, from: position, file: file, place: "\(place), \(part)")
            values.append(value)
            position = end
        }
        guard values[4].elements?.count == 1, bytes.count - position >= 8 else {
            throw WeightFileError(.malformed, file: file, place: place, "holds something else than one storage")
        }
        return (values[3], Array(bytes[(position + 8)...]))
    }

    /// The layout before PyTorch 1.6: pickles of a magic number, a version, facts about the system, the
    /// value and the list of storages, then each storage behind its number of elements.
    private static func plain(_ source: ByteSource) throws(WeightFileError) -> (PickleValue, Layout) {
        // The pickles come first, but their end is known only after reading.
        let head = try source.read(0..<min(source.count, pickleLimit), place: "pickles")
        var position = 0
        var values: [PickleValue] = []
        for place in ["magic number", "version", "system", "value", "storage list"] {
            let (value, end) = try PickleReader.read(head, from: position, file: source.name, place: place)
            values.append(value)
            position = end
        }
        let types = values[3].storageTypes()
        var offsets: [String: Int] = [:]
        for key in values[4].elements ?? [] {
            guard let key = key.stringValue else {
                throw WeightFileError(.malformed, file: source.name, place: "storage list", "a key is not a string")
            }
            let place = "storage '\(key)'"
            let count = try source.read(position..<position + 8, place: place).littleEndian(UInt64.self)
            offsets[key] = position + 8
            let size = count.multipliedReportingOverflow(by: UInt64(types[key]?.byteCount ?? 1))
            guard !size.overflow, size.partialValue <= UInt64(source.count - position - 8) else {
                throw WeightFileError(.truncated, file: source.name, place: place, "claims \(count) elements")
            }
            position += 8 + Int(size.partialValue)
        }
        return (values[3], .plain(offsets))
    }
}

extension PickleValue {
    /// The type of every storage that a tensor inside this value lies in.
    fileprivate func storageTypes() -> [String: ElementType] {
        var types: [String: ElementType] = [:]
        var waiting = [self]
        while let value = waiting.popLast() {
            switch value {
            case .tensor(let tensor): types[tensor.storage] = tensor.type
            case .list(let elements), .tuple(let elements), .set(let elements): waiting += elements
            case .dictionary(let dictionary): waiting += dictionary.pairs.map(\.value)
            case .object(let object):
                waiting += object.arguments + object.elements + object.items.pairs.map(\.value)
                if let state = object.state { waiting.append(state) }
            default: break
            }
        }
        return types
    }
}

extension TensorReference {
    /// The tensor's elements out of its whole storage.
    fileprivate func gather(from stored: ElementType.Elements) -> ElementType.Elements {
        if isContiguous, offset == 0, count == storageCount { return stored }
        let indices = isContiguous ? Array(offset..<offset + count) : stridedIndices
        let parts = type == .complex64 || type == .complex128 ? 2 : 1
        var gathered = ElementType.Elements()
        gathered.values.reserveCapacity(parts * indices.count)
        for index in indices {
            for part in 0..<parts { gathered.values.append(stored.values[index * parts + part]) }
        }
        gathered.integers = stored.integers.map { integers in indices.map { integers[$0] } }
        return gathered
    }

    private var stridedIndices: [Int] {
        guard count > 0 else { return [] }
        var indices = [offset]
        for (extent, stride) in zip(shape, strides) {
            indices = indices.flatMap { start in (0..<extent).map { start + $0 * stride } }
        }
        return indices
    }
}
