/// Writes a value as a pickle of protocol 2, with tensors as PyTorch's persistent ids.
struct PickleWriter {
    private(set) var bytes: [UInt8] = [0x80, 2]

    /// The pickle of `value`.
    static func pickle(_ value: PickleValue) -> [UInt8] {
        var writer = PickleWriter()
        writer.write(value)
        return writer.bytes + Array(".".utf8)
    }

    private mutating func write(_ value: PickleValue) {
        switch value {
        case .none: opcode("N")
        case .bool(let value): bytes.append(value ? 0x88 : 0x89)
        case .int(let value): write(value)
        case .bigInteger(let value):
            bytes += [0x8B] + UInt32(value.count).littleEndianBytes + value
        case .float(let value):
            opcode("G")
            bytes += value.bitPattern.byteSwapped.littleEndianBytes
        case .string(let value): write(value)
        case .bytes(let value):
            // Protocol 2 has no bytes: they travel as Latin-1 text.
            call(
                "_codecs", "encode",
                [
                    .string(String(String.UnicodeScalarView(value.map { Unicode.Scalar($0) }))), "latin1",
                ])
        case .list(let elements):
            opcode("](")
            for element in elements { write(element) }
            opcode("e")
        case .tuple(let elements): tuple(elements)
        case .set(let elements): call("__builtin__", "set", [.list(elements)])
        case .dictionary(let dictionary):
            opcode("}")
            items(dictionary)
        case .tensor(let tensor): write(tensor)
        case .reference(let name): write(name)
        case .object(let object): write(object)
        }
    }

    private mutating func opcode(_ text: StaticString) {
        bytes += Array("\(text)".utf8)
    }

    private mutating func write(_ value: Int) {
        if let small = Int32(exactly: value) {
            opcode("J")
            bytes += small.littleEndianBytes
        } else {
            bytes += [0x8A, 8] + value.littleEndianBytes
        }
    }

    private mutating func write(_ text: String) {
        opcode("X")
        bytes += UInt32(text.utf8.count).littleEndianBytes + Array(text.utf8)
    }

    private mutating func write(_ name: PickleValue.QualifiedName) {
        bytes += Array("c\(name.module)\n\(name.name)\n".utf8)
    }

    private mutating func tuple(_ elements: [PickleValue]) {
        opcode("(")
        for element in elements { write(element) }
        opcode("t")
    }

    private mutating func items(_ dictionary: PickleDictionary) {
        opcode("(")
        for pair in dictionary.pairs {
            write(pair.key)
            write(pair.value)
        }
        opcode("u")
    }

    private mutating func call(_ module: String, _ name: String, _ arguments: [PickleValue]) {
        write(PickleValue.QualifiedName(module: module, name: name))
        tuple(arguments)
        opcode("R")
    }

    private mutating func write(_ object: PickleObject) {
        call(object.type.module, object.type.name, object.arguments)
        if !object.elements.isEmpty {
            opcode("(")
            for element in object.elements { write(element) }
            opcode("e")
        }
        if !object.items.pairs.isEmpty { items(object.items) }
        if let state = object.state {
            write(state)
            opcode("b")
        }
    }

    private mutating func write(_ tensor: TensorReference) {
        let storageType = PickleReader.storageTypes.first { $0.value == tensor.type }?.key ?? "UntypedStorage"
        write(PickleValue.QualifiedName(module: "torch._utils", name: "_rebuild_tensor_v2"))
        opcode("(")
        tuple([
            "storage", .reference(.init(module: "torch", name: storageType)), .string(tensor.storage),
            .string(tensor.device), .int(tensor.storageCount),
        ])
        opcode("Q")
        write(tensor.offset)
        tuple(tensor.shape.map { .int($0) })
        tuple(tensor.strides.map { .int($0) })
        write(.bool(false))
        call("collections", "OrderedDict", [])
        opcode("tR")
    }
}
