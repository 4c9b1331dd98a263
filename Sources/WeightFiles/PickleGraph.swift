/// The objects that a pickle builds, as nodes that refer to each other by number.
///
/// Python's containers are shared and filled after they are first referred to; numbers instead of
/// references keep that without cycles of ownership, and bound the memory a hostile pickle can take.
struct PickleGraph {
    typealias ID = Int

    enum Node {
        case leaf(PickleValue)
        case list([ID])
        case tuple([ID])
        case set([ID])
        /// Keys and values in turn.
        case dictionary([ID])
        case persistent(ID)
        case instance(Instance)
    }

    /// A call in the pickle, and the operations applied to its result.
    struct Instance {
        var callee: ID
        var arguments: ID
        var state: ID?
        var items: [ID] = []
        var elements: [ID] = []
    }

    var nodes: [Node] = []
}

/// Reads the opcodes of one pickle (protocols 2 to 5) into a graph; nothing is imported or called.
///
/// Source of the opcodes: CPython's `pickletools`.
struct PickleMachine {
    struct Failure: Error {
        var reason: WeightFileError.Reason
        var position: Int
        var summary: String
    }

    /// The largest number of nodes: above that of any checkpoint, and small enough for memory.
    static let nodeLimit = 4_000_000

    private(set) var graph = PickleGraph()
    private(set) var position: Int
    private let bytes: [UInt8]
    private var opcodeStart = 0
    private var stack: [PickleGraph.ID] = []
    private var marks: [Int] = []
    private var memo: [Int: PickleGraph.ID] = [:]

    /// Reads the pickle that begins at `start` and gives the number of its root; `position` is then behind it.
    static func run(
        _ bytes: [UInt8], from start: Int = 0
    ) throws(Failure) -> (graph: PickleGraph, root: PickleGraph.ID, end: Int) {
        var machine = PickleMachine(bytes, from: start)
        while true {
            machine.opcodeStart = machine.position
            let opcode = try machine.byte()
            if opcode == UInt8(ascii: ".") {
                return (machine.graph, try machine.pop(), machine.position)
            }
            try machine.perform(opcode)
        }
    }

    private init(_ bytes: [UInt8], from start: Int) { (self.bytes, position) = (bytes, start) }

    private mutating func perform(_ opcode: UInt8) throws(Failure) {
        switch opcode {
        case 0x80:  // PROTO
            let version = try byte()
            guard (2...5).contains(version) else { throw failure(.unsupported, "pickle protocol \(version)") }
        case 0x95: _ = try take(8)  // FRAME

        // Atoms.
        case UInt8(ascii: "N"): try push(.leaf(.none))
        case 0x88: try push(.leaf(.bool(true)))
        case 0x89: try push(.leaf(.bool(false)))
        case UInt8(ascii: "J"): try push(.leaf(.int(Int(Int32(bitPattern: try number())))))
        case UInt8(ascii: "K"): try push(.leaf(.int(Int(try byte()))))
        case UInt8(ascii: "M"): try push(.leaf(.int(Int(try number(UInt16.self)))))
        case 0x8A: try pushLong(Int(try byte()))
        case 0x8B: try pushLong(try length(UInt32.self))
        case UInt8(ascii: "G"): try push(.leaf(.float(Double(bitPattern: try number(UInt64.self).byteSwapped))))
        case 0x8C: try pushString(Int(try byte()))
        case UInt8(ascii: "X"): try pushString(try length(UInt32.self))
        case 0x8D: try pushString(try length(UInt64.self))
        case UInt8(ascii: "U"): try pushString(Int(try byte()))
        case UInt8(ascii: "T"): try pushString(try length(UInt32.self))
        case UInt8(ascii: "C"): try pushBytes(Int(try byte()))
        case UInt8(ascii: "B"): try pushBytes(try length(UInt32.self))
        case 0x8E, 0x96: try pushBytes(try length(UInt64.self))

        // Containers.
        case UInt8(ascii: "]"): try push(.list([]))
        case UInt8(ascii: "}"): try push(.dictionary([]))
        case UInt8(ascii: ")"): try push(.tuple([]))
        case 0x8F: try push(.set([]))
        case UInt8(ascii: "l"): try push(.list(try popToMark()))
        case UInt8(ascii: "d"): try push(.dictionary(try pairs(try popToMark())))
        case UInt8(ascii: "t"): try push(.tuple(try popToMark()))
        case 0x91: try push(.set(try popToMark()))
        case 0x85: try pushTuple(1)
        case 0x86: try pushTuple(2)
        case 0x87: try pushTuple(3)
        case UInt8(ascii: "a"): try append([try pop()])
        case UInt8(ascii: "e"), 0x90: try append(try popToMark())
        case UInt8(ascii: "s"):
            let value = try pop()
            try setItems([try pop(), value])
        case UInt8(ascii: "u"): try setItems(try pairs(try popToMark()))

        // Stack and memo.
        case UInt8(ascii: "("): marks.append(stack.count)
        case UInt8(ascii: "0"): _ = try pop()
        case UInt8(ascii: "1"): _ = try popToMark()
        case UInt8(ascii: "2"): try pushID(try top())
        case UInt8(ascii: "q"): memo[Int(try byte())] = try top()
        case UInt8(ascii: "r"): memo[Int(try number(UInt32.self))] = try top()
        case 0x94: memo[memo.count] = try top()
        case UInt8(ascii: "h"): try pushID(try recall(Int(try byte())))
        case UInt8(ascii: "j"): try pushID(try recall(Int(try number(UInt32.self))))

        // Names, calls and what is to be done to their results: kept as data.
        case UInt8(ascii: "c"):
            let module = try line()
            try push(.leaf(.reference(.init(module: module, name: try line()))))
        case 0x93:
            guard case .leaf(.string(let name)) = graph.nodes[try pop()],
                case .leaf(.string(let module)) = graph.nodes[try pop()]
            else { throw failure(.malformed, "a name is not a string") }
            try push(.leaf(.reference(.init(module: module, name: name))))
        case UInt8(ascii: "R"), 0x81:
            let arguments = try pop()
            try push(.instance(.init(callee: try pop(), arguments: arguments)))
        case 0x92:  // NEWOBJ_EX
            let keywords = try pop()
            guard case .dictionary(let items) = graph.nodes[keywords], items.isEmpty else {
                throw failure(.unsupported, "an object made with keyword arguments")
            }
            let arguments = try pop()
            try push(.instance(.init(callee: try pop(), arguments: arguments)))
        case UInt8(ascii: "b"):
            let state = try pop()
            guard case .instance(var instance) = graph.nodes[try top()] else {
                throw failure(.malformed, "a state for something that is no object")
            }
            instance.state = state
            graph.nodes[try top()] = .instance(instance)
        case UInt8(ascii: "Q"): try push(.persistent(try pop()))
        default:
            throw failure(.unsupported, "pickle opcode 0x\(String(opcode, radix: 16))")
        }
    }

    // MARK: Input

    private func failure(_ reason: WeightFileError.Reason, _ summary: String) -> Failure {
        Failure(reason: reason, position: opcodeStart, summary: summary)
    }

    private mutating func byte() throws(Failure) -> UInt8 {
        guard position < bytes.count else { throw failure(.truncated, "the pickle ends early") }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func take(_ count: Int) throws(Failure) -> ArraySlice<UInt8> {
        guard count <= bytes.count - position else { throw failure(.truncated, "the pickle ends early") }
        defer { position += count }
        return bytes[position..<position + count]
    }

    private mutating func number<Word: FixedWidthInteger>(_: Word.Type = UInt32.self) throws(Failure) -> Word {
        try take(MemoryLayout<Word>.size).littleEndian()
    }

    private mutating func length<Word: FixedWidthInteger>(_ word: Word.Type) throws(Failure) -> Int {
        guard let length = Int(exactly: try number(word)) else {
            throw failure(.truncated, "the pickle ends early")
        }
        return length
    }

    private mutating func line() throws(Failure) -> String {
        guard let end = bytes[position...].firstIndex(of: 0x0A) else {
            throw failure(.truncated, "the pickle ends early")
        }
        defer { position = end + 1 }
        return String(decoding: bytes[position..<end], as: UTF8.self)
    }

    // MARK: Stack

    private mutating func push(_ node: PickleGraph.Node) throws(Failure) {
        guard graph.nodes.count < Self.nodeLimit else {
            throw failure(.tooLarge, "more than \(Self.nodeLimit) objects")
        }
        graph.nodes.append(node)
        try pushID(graph.nodes.count - 1)
    }

    private mutating func pushID(_ id: PickleGraph.ID) throws(Failure) {
        guard stack.count < Self.nodeLimit else { throw failure(.tooLarge, "a stack beyond all need") }
        stack.append(id)
    }

    private func top() throws(Failure) -> PickleGraph.ID {
        guard stack.count > marks.last ?? 0, let id = stack.last else {
            throw failure(.malformed, "the stack is empty")
        }
        return id
    }

    private mutating func pop() throws(Failure) -> PickleGraph.ID {
        let id = try top()
        stack.removeLast()
        return id
    }

    private mutating func popToMark() throws(Failure) -> [PickleGraph.ID] {
        guard let mark = marks.popLast() else { throw failure(.malformed, "a mark is missing") }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    private func recall(_ index: Int) throws(Failure) -> PickleGraph.ID {
        guard let id = memo[index] else { throw failure(.malformed, "memo \(index) was never set") }
        return id
    }

    // MARK: Values

    private mutating func pushString(_ count: Int) throws(Failure) {
        try push(.leaf(.string(String(decoding: try take(count), as: UTF8.self))))
    }

    private mutating func pushBytes(_ count: Int) throws(Failure) {
        try push(.leaf(.bytes(Array(try take(count)))))
    }

    private mutating func pushLong(_ count: Int) throws(Failure) {
        let bytes = Array(try take(count))
        guard count <= 8 else { return try push(.leaf(.bigInteger(bytes))) }
        let isNegative = bytes.last.map { $0 >= 0x80 } ?? false
        let padding = [UInt8](repeating: isNegative ? 0xFF : 0, count: 8 - count)
        try push(.leaf(.int(Int(Int64(bitPattern: (bytes + padding).littleEndian())))))
    }

    private mutating func pushTuple(_ count: Int) throws(Failure) {
        var elements: [PickleGraph.ID] = []
        for _ in 0..<count { elements.append(try pop()) }
        try push(.tuple(elements.reversed()))
    }

    private func pairs(_ items: [PickleGraph.ID]) throws(Failure) -> [PickleGraph.ID] {
        guard items.count.isMultiple(of: 2) else { throw failure(.malformed, "a key without a value") }
        return items
    }

    // Each branch empties the node first, so that its array has one owner and grows in place.

    private mutating func append(_ new: [PickleGraph.ID]) throws(Failure) {
        let id = try top()
        switch graph.nodes[id] {
        case .list(var elements):
            graph.nodes[id] = .leaf(.none)
            elements += new
            graph.nodes[id] = .list(elements)
        case .set(var elements):
            graph.nodes[id] = .leaf(.none)
            elements += new
            graph.nodes[id] = .set(elements)
        case .instance(var instance):
            graph.nodes[id] = .leaf(.none)
            instance.elements += new
            graph.nodes[id] = .instance(instance)
        default: throw failure(.malformed, "elements for something that is no list")
        }
    }

    private mutating func setItems(_ new: [PickleGraph.ID]) throws(Failure) {
        let id = try top()
        switch graph.nodes[id] {
        case .dictionary(var items):
            graph.nodes[id] = .leaf(.none)
            items += new
            graph.nodes[id] = .dictionary(items)
        case .instance(var instance):
            graph.nodes[id] = .leaf(.none)
            instance.items += new
            graph.nodes[id] = .instance(instance)
        default: throw failure(.malformed, "items for something that is no dictionary")
        }
    }
}
