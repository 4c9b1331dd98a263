/// Finds during a backward pass which leaves have their final gradient: those that no node still to come may add to.
final class LeafWatch {
    private let places: [ObjectIdentifier: Int]
    private let whenFinal: (Int, Tensor) -> Void
    /// How many inputs of nodes to come each leaf is.
    private var uses: [ObjectIdentifier: Int] = [:]
    /// Nodes to come that may add to leaves which are not among their inputs.
    private var reaching = 0
    /// Leaves without further uses that such a node may still add to, in the order of their last use.
    private var waiting: [ObjectIdentifier] = []

    /// - Parameter whenFinal: Called with a leaf's place in `leaves` and its gradient.
    init(_ leaves: [Tensor], _ whenFinal: @escaping (Int, Tensor) -> Void) {
        let keys = leaves.enumerated().compactMap { place, leaf in leaf.node.map { (ObjectIdentifier($0), place) } }
        places = Dictionary(keys, uniquingKeysWith: { first, _ in first })
        self.whenFinal = whenFinal
    }

    /// Counts the uses by all nodes of a pass.
    func count(_ nodes: [GraphNode]) {
        for node in nodes {
            for leaf in leaves(of: node) { uses[leaf, default: 0] += 1 }
            if node.reachesOtherLeaves { reaching += 1 }
        }
    }

    /// The watched leaves among a node's inputs.
    func leaves(of node: GraphNode) -> [ObjectIdentifier] {
        node.parents.compactMap { $0.map(ObjectIdentifier.init) }.filter { places[$0] != nil }
    }

    /// Tells which leaves are final after a node's backward pass.
    ///
    /// - Parameter gradient: The gradient of a leaf so far; `nil` where nothing was added.
    func tell(_ leaves: [ObjectIdentifier], after node: GraphNode, gradient: (ObjectIdentifier) -> Tensor?) {
        if node.reachesOtherLeaves { reaching -= 1 }
        for leaf in leaves {
            let left = (uses[leaf] ?? 1) - 1
            uses[leaf] = left
            if left == 0 { waiting.append(leaf) }
        }
        guard reaching == 0 else { return }
        for leaf in waiting {
            if let place = places[leaf], let gradient = gradient(leaf) { whenFinal(place, gradient) }
        }
        waiting = []
    }
}
