import Backbones
package import Collectives
import Layers
import Models
import Tensors

extension TrainingState {
    /// One optimizer step over batches that several processes share: batch `p` is made by process `p mod count`.
    ///
    /// Gradients, losses and the statistics of batch normalisations are taken in the order of the batches, so that
    /// every process has the bits of one that makes all batches itself.
    ///
    /// - Parameter batch: Makes one of the `parts` batches.
    /// - Throws: `TrainingFailure`, in all processes alike; `GroupFailure`; what making a batch throws.
    package func update(
        parts: Int, in group: ProcessGroup, _ batch: (Int) throws -> TrainingBatchInput
    ) throws -> StepResult {
        precondition(parts >= group.count, "\(parts) batches for \(group.count) processes")
        exchange?.reset()
        var numbers = StepNumbers()
        let statistics = model.backbone.buffers.isEmpty ? nil : DeferredStatistics()
        for first in stride(from: 0, to: parts, by: group.count) {
            let active = min(group.count, parts - first)
            let isLast = first + active == parts
            let input = group.rank < active ? try batch(first + group.rank) : nil
            var mine: [Float]?
            func gradient(_ whenFinal: (Int, Tensor) -> Void) -> TrainingObjective.Gradient? {
                guard let input else { return nil }
                let (one, found) = Magnitude.$keepsWeights.withValue(first > 0) {
                    statistics?.collecting { objective.gradient(of: input, whenFinal: whenFinal) }
                        ?? (objective.gradient(of: input, whenFinal: whenFinal), [])
                }
                numbers.set(one.loss, one.terms)
                mine = found
                return one
            }
            try exchangeGradients(active: active, isLast: isLast, in: group, gradient)
            try numbers.add(active: active, share: 1 / Double(parts), in: group, step: step + 1)
            if let statistics {
                let count = statistics.count
                let all = try group.gather(mine ?? [Float](repeating: 0, count: count), filler: 0)
                for found in all.prefix(active) { statistics.apply(found) }
            }
        }
        return try apply(exchange?.totals() ?? [], share: 1 / Double(parts), loss: numbers.loss, numbers.terms)
    }

    /// Adds the gradients of one batch of each active process.
    ///
    /// The first round of all has no overlap: it finds the order in which gradients become final, and that of rank 0
    /// holds for all processes from then on.
    private func exchangeGradients(
        active: Int, isLast: Bool, in group: ProcessGroup,
        _ gradient: (_ whenFinal: (Int, Tensor) -> Void) -> TrainingObjective.Gradient?
    ) throws {
        if let exchange {
            exchange.beginRound(active: active, isLast: isLast)
            let one = gradient { exchange.put($1, of: $0) }
            one?.put(in: exchange)
            return try exchange.finishRound()
        }
        var order: [Int] = []
        let one = gradient { index, _ in order.append(index) }
        let seen = Set(order)
        order += weights.indices.reversed().filter { weights[$0].isTrained && !seen.contains($0) }
        order = try group.gather(order, filler: 0)[0]
        let exchange = GradientExchange(order, of: weights, in: group, most: pieceSize)
        self.exchange = exchange
        exchange.beginRound(active: active, isLast: isLast)
        one?.put(in: exchange)
        try exchange.finishRound()
    }

    /// Broadcasts the state of rank 0 to all processes, so that all continue from the same state.
    func share(in group: ProcessGroup) throws(GroupFailure) {
        var parts = weights.map(\.parameter.tensor) + averages
        parts += moments.compactMap(\.self).flatMap { [$0.first, $0.second] } + model.backbone.buffers.map(\.tensor)
        var numbers = parts.flatMap(\.values)
        try group.broadcast(&numbers)
        let counts = try group.gather([step, warmSteps], filler: 0)[0]
        var start = 0
        func next(_ shape: [Int]) -> Tensor {
            let count = shape.reduce(1, *)
            defer { start += count }
            return Tensor(Array(numbers[start..<start + count]), shape: shape)
        }
        let raw = weights.map { next($0.parameter.shape) }
        let averaged = weights.map { next($0.parameter.shape) }
        let adam = zip(weights, moments).map { weight, moment in
            moment == nil ? nil : (first: next(weight.parameter.shape), second: next(weight.parameter.shape))
        }
        for buffer in model.backbone.buffers { buffer.assign(next(buffer.shape)) }
        // Further averages are those of rank 0 alone, which alone writes them.
        restore(
            step: counts[0], weights: raw, averages: averaged, moments: adam, warmSteps: counts[1],
            furtherAverages: furtherAverages)
    }
}

extension TrainingObjective.Gradient {
    /// Puts what the backward pass did not put.
    fileprivate func put(in exchange: GradientExchange) {
        for (index, gradient) in gradients.enumerated() {
            if let gradient { exchange.put(gradient, of: index) }
        }
    }
}

/// The loss of a step and its terms, averaged over the batches of all processes in their order.
private struct StepNumbers {
    var loss = 0.0
    var terms: [String: Double] = [:]
    private var names: [String] = []
    private var mine: [Double] = []

    /// Takes the numbers of this process's batch; every batch has the same terms.
    mutating func set(_ loss: Double, _ terms: [String: Double]) {
        names = terms.keys.sorted()
        mine = [loss] + names.map { terms[$0] ?? 0 }
    }

    mutating func add(active: Int, share: Double, in group: ProcessGroup, step: Int) throws {
        for one in try group.gather(mine, filler: 0).prefix(active) {
            guard one[0].isFinite else { throw TrainingFailure(step: step, reason: .loss(one[0])) }
            loss += one[0] * share
            for (name, term) in zip(names, one.dropFirst()) { terms[name, default: 0] += term * share }
        }
    }
}
