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
        let sum = gradientSum(in: group)
        sum.reset()
        var numbers = StepNumbers()
        let statistics = model.backbone.buffers.isEmpty ? nil : DeferredStatistics()
        for first in stride(from: 0, to: parts, by: group.count) {
            let active = min(group.count, parts - first)
            var mine: [Float]?
            if group.rank < active {
                let input = try batch(first + group.rank)
                let (one, found) =
                    statistics?.collecting { objective.gradient(of: input) } ?? (objective.gradient(of: input), [])
                numbers.set(one.loss, one.terms)
                put(one.gradients, in: sum)
                mine = found
            }
            try numbers.add(active: active, share: 1 / Double(parts), in: group, step: step + 1)
            try sum.add(active: active)
            if let statistics {
                let count = statistics.count
                let all = try group.gather(mine ?? [Float](repeating: 0, count: count), filler: 0)
                for found in all.prefix(active) { statistics.apply(found) }
            }
        }
        try sum.finish()
        return try apply(gradients(of: sum), share: 1 / Double(parts), loss: numbers.loss, numbers.terms)
    }

    /// The sum of all processes' gradients, whose memory is kept from step to step.
    private func gradientSum(in group: ProcessGroup) -> OrderedSum {
        if let summedGradients { return summedGradients }
        let sum = OrderedSum(of: weights.filter(\.isTrained).reduce(0) { $0 + $1.parameter.count }, in: group)
        summedGradients = sum
        return sum
    }

    private func put(_ gradients: [Tensor?], in sum: OrderedSum) {
        var start = 0
        for (weight, gradient) in zip(weights, gradients) where weight.isTrained {
            let count = weight.parameter.count
            sum.put(gradient?.values ?? [Float](repeating: 0, count: count), at: start)
            start += count
        }
    }

    private func gradients(of sum: OrderedSum) -> [Tensor?] {
        var start = 0
        return weights.map { weight in
            guard weight.isTrained else { return nil }
            let count = weight.parameter.count
            defer { start += count }
            return Tensor(sum.total(from: start, count: count), shape: weight.parameter.shape)
        }
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
