package import Kernels
import Synchronization

/// Whether operations record how to go back.
public enum Gradients {
    @TaskLocal package static var areRecorded = true
    /// Whether what runs will be computed again, so that weights are about to change and packed filters are not kept.
    @TaskLocal package static var areDeferred = false

    /// Runs `body` without recording: nothing is kept for a backward pass, and packed filters are kept with the
    /// weights.
    public static func off<Result>(_ body: () throws -> Result) rethrows -> Result {
        try $areRecorded.withValue(false, operation: body)
    }

    /// Whether packed filters stay with the weights.
    package static var keepFilters: Bool { !areRecorded && !areDeferred }

    package static func on<Result>(_ body: () throws -> Result) rethrows -> Result {
        try $areRecorded.withValue(true, operation: body)
    }
}

/// One recorded operation: its inputs, and how a gradient of its output becomes gradients of theirs.
///
/// A graph is built and walked by one thread at a time, which is what makes the class safe to send.
package final class GraphNode: @unchecked Sendable {
    package typealias Backward = @Sendable (_ dy: Tensor, _ sink: GradientSink) -> Void

    private static let counter = Atomic<Int>(0)

    /// Grows with time, so a node's inputs always have smaller numbers.
    let number: Int
    fileprivate(set) var parents: [GraphNode?]
    fileprivate var backward: Backward?
    let isLeaf: Bool
    /// The derivative that forward mode carries with the tensor.
    let tangent: Tensor?
    /// Whether the node only carries a tangent, of a tensor that is a constant to gradients.
    let isConstant: Bool
    /// Whether its backward pass may add to leaves that are not among its parents.
    fileprivate(set) var reachesOtherLeaves = false

    package convenience init(parents: [GraphNode?], backward: Backward?) {
        self.init(parents: parents, backward: backward, tangent: nil)
    }

    /// The node of a constant that carries a tangent.
    convenience init(tangent: Tensor) { self.init(parents: [], backward: nil, tangent: tangent, isConstant: true) }

    init(parents: [GraphNode?], backward: Backward?, tangent: Tensor?, isConstant: Bool = false) {
        (self.tangent, self.isConstant) = (tangent, isConstant)
        number = Self.counter.add(1, ordering: .relaxed).newValue
        self.parents = parents
        self.backward = backward
        isLeaf = backward == nil
    }

    /// Lets go of everything kept for the backward pass.
    fileprivate func release() {
        parents = []
        backward = nil
    }

    deinit {
        // A long chain would otherwise be let go of recursively, one stack frame per operation.
        var rest = parents.compactMap { $0 }
        parents = []
        backward = nil
        while var node = rest.popLast() {
            if isKnownUniquelyReferenced(&node) {
                rest += node.parents.compactMap { $0 }
                node.parents = []
                node.backward = nil
            }
        }
    }
}

/// Where an operation's backward pass puts the gradients of its inputs.
package final class GradientSink {
    private struct Sum {
        var buffer: FloatBuffer
        let shape: [Int]
    }
    private var sums: [ObjectIdentifier: Sum] = [:]
    private var parents: [GraphNode?] = []
    /// Leaves met in a nested pass hand their gradients to the pass around it.
    private let outer: GradientSink?

    fileprivate init(outer: GradientSink? = nil) { self.outer = outer }

    fileprivate func enter(_ node: GraphNode) { parents = node.parents }

    /// Whether input `index` wants a gradient.
    package func wants(_ index: Int) -> Bool { parents[index] != nil }

    /// Adds a gradient to input `index`.
    package func add(_ gradient: Tensor, to index: Int) {
        if let node = parents[index] { add(gradient.detached, to: node) }
    }

    fileprivate func add(_ gradient: Tensor, to node: GraphNode) {
        let key = ObjectIdentifier(node)
        guard let index = sums.index(forKey: key) else {
            sums[key] = Sum(buffer: gradient.buffer, shape: gradient.shape)
            return
        }
        let shape = sums[index].value.shape
        precondition(shape == gradient.shape, "gradients \(shape) and \(gradient.shape) of one tensor")
        if isKnownUniquelyReferenced(&sums.values[index].buffer) {
            accumulate(gradient.buffer, into: sums.values[index].buffer)
        } else {
            sums.values[index].buffer = combine(1, sums.values[index].buffer, 1, gradient.buffer)
        }
    }

    private func take(_ key: ObjectIdentifier) -> Tensor? {
        sums.removeValue(forKey: key).map { Tensor(buffer: $0.buffer, shape: $0.shape) }
    }

    fileprivate var gradients: [ObjectIdentifier: Tensor] {
        sums.mapValues { Tensor(buffer: $0.buffer, shape: $0.shape) }
    }

    /// Walks back from `root`, whose gradient is `seed`; inner gradients are let go of as they are used.
    fileprivate func walk(
        from root: GraphNode, seed: Tensor, keeping inputs: Set<ObjectIdentifier> = [], telling: LeafWatch? = nil
    ) {
        var seen: Set<ObjectIdentifier> = [ObjectIdentifier(root)]
        var order = [root]
        var next = 0
        while next < order.count {
            for case let parent? in order[next].parents where seen.insert(ObjectIdentifier(parent)).inserted {
                order.append(parent)
            }
            next += 1
        }
        order.sort { $0.number < $1.number }
        telling?.count(order)
        add(seed, to: root)
        while let node = order.popLast() {
            let key = ObjectIdentifier(node)
            if node.isLeaf {
                if let outer, !inputs.contains(key), let gradient = take(key) {
                    outer.add(gradient, to: node)
                }
                continue
            }
            let leaves = telling?.leaves(of: node) ?? []
            if let dy = take(key), let backward = node.backward {
                enter(node)
                node.release()
                backward(dy, self)
            }
            telling?.tell(leaves, after: node) { sums[$0].map { Tensor(buffer: $0.buffer, shape: $0.shape) } }
        }
    }

    /// A pass inside this one, over a piece of graph that was computed again.
    fileprivate func nested(from root: GraphNode, seed: Tensor, inputs: [GraphNode]) -> [Tensor?] {
        let inner = GradientSink(outer: self)
        inner.walk(from: root, seed: seed, keeping: Set(inputs.map(ObjectIdentifier.init)))
        let found = inner.gradients
        return inputs.map { found[ObjectIdentifier($0)] }
    }
}

/// The gradients of a scalar with respect to the leaves it was computed from.
public struct GradientTable {
    private let sums: [ObjectIdentifier: Tensor]
    fileprivate init(_ sums: [ObjectIdentifier: Tensor]) { self.sums = sums }

    /// The gradient with respect to a leaf; `nil` where the result does not depend on it.
    public subscript(leaf: Tensor) -> Tensor? { leaf.node.flatMap { sums[ObjectIdentifier($0)] } }
}

extension Tensor {
    /// Gradients of this tensor (a scalar, unless a `seed` of its shape is given) with respect to every leaf.
    ///
    /// The record is used up: what was kept for the backward pass is let go of on the way.
    public func gradients(seed: Tensor? = nil) -> GradientTable { gradients(seed: seed, telling: nil) }

    /// Gradients of this scalar, of which those of some leaves are told during the backward pass.
    ///
    /// - Parameter whenFinal: Called with a leaf's place in `leaves` and its gradient as soon as nothing is added to it
    ///   any more; never for leaves without a gradient, and for those that only recomputed pieces use.
    package func gradients(of leaves: [Tensor], whenFinal: (Int, Tensor) -> Void) -> GradientTable {
        guard !leaves.isEmpty else { return gradients() }
        return withoutActuallyEscaping(whenFinal) { gradients(seed: nil, telling: LeafWatch(leaves, $0)) }
    }

    private func gradients(seed: Tensor?, telling watch: LeafWatch?) -> GradientTable {
        precondition(seed != nil || count == 1, "the gradient of a tensor \(shape) needs a seed")
        guard let node else { return GradientTable([:]) }
        let sink = GradientSink()
        Gradients.off { sink.walk(from: node, seed: seed ?? Tensor(repeating: 1, shape: shape), telling: watch) }
        return GradientTable(sink.gradients)
    }

    /// The result of an operation on `inputs`, with the way back.
    package init(
        buffer: FloatBuffer, shape: [Int], from inputs: [Tensor], recipe: (@Sendable () -> FloatBuffer)? = nil,
        forward: Forward? = nil, backward: @escaping GraphNode.Backward
    ) {
        self.init(.made(buffer, recipe: recipe), shape: shape, from: inputs, forward: forward, backward: backward)
    }

    package init(
        _ contents: TensorContents, shape: [Int], from inputs: [Tensor], forward: Forward? = nil,
        backward: @escaping GraphNode.Backward
    ) {
        let tangent = Self.tangent(from: inputs, forward)
        let recorded = Gradients.areRecorded && inputs.contains { $0.recordedNode != nil }
        guard recorded else {
            if case .made(let buffer, _?) = contents {  // a recipe would hold on to its ingredients
                self.init(.made(buffer, recipe: nil), shape: shape, node: tangent.map(GraphNode.init))
            } else {
                self.init(contents, shape: shape, node: tangent.map(GraphNode.init))
            }
            return
        }
        let node = GraphNode(parents: inputs.map(\.recordedNode), backward: backward, tangent: tangent)
        self.init(contents, shape: shape, node: node)
    }

    /// A result of code outside this module, such as a transform, with its own way back.
    ///
    /// - Parameter backward: Given the gradient of the result, those of the inputs, in order.
    public init(
        _ values: [Float], shape: [Int], from inputs: [Tensor], backward: @escaping @Sendable (Tensor) -> [Tensor?]
    ) {
        self.init(buffer: FloatBuffer(values), shape: shape, from: inputs) { dy, sink in
            for (index, gradient) in backward(dy).enumerated() {
                if let gradient { sink.add(gradient, to: index) }
            }
        }
    }
}

/// Computes `body(inputs)` without keeping its inside, which the backward pass computes again.
///
/// Memory for time: one more forward pass of the piece, and only its inputs stay. Leaves used inside, such as
/// weights, get their gradients as usual.
public func recomputed(_ inputs: [Tensor], _ body: @escaping @Sendable ([Tensor]) -> Tensor) -> Tensor {
    guard Gradients.areRecorded else { return body(inputs) }
    let kept = inputs.map(\.detached)
    let carrying = zip(kept, inputs).map { kept, input in input.tangent.map { kept.carrying($0) } ?? kept }
    let result = Gradients.off { Gradients.$areDeferred.withValue(true) { body(carrying) } }
    let nodes = inputs.map { $0.recordedNode ?? GraphNode(parents: [], backward: nil) }
    let backward: GraphNode.Backward = { dy, sink in
        let leaves = kept.map { $0.tracked() }
        let again = Gradients.on { body(leaves) }
        guard let root = again.node else { return }
        for (index, gradient) in sink.nested(from: root, seed: dy, inputs: leaves.compactMap(\.node)).enumerated() {
            if let gradient { sink.add(gradient, to: index) }
        }
    }
    let node = GraphNode(parents: nodes, backward: backward, tangent: result.tangent)
    node.reachesOtherLeaves = true
    return Tensor(result.contents, shape: result.shape, node: node)
}
