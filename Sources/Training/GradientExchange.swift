import Collectives
import Models
import Synchronization
import Tensors

/// The gradients of a step, summed over several processes in pieces of a few MB while the backward pass goes on.
///
/// A piece holds weights whose gradients become final one after the other; it is exchanged once all of them are.
final class GradientExchange {
    private struct Piece {
        var weights: [(index: Int, start: Int, count: Int)] = []
        var count = 0
    }

    private let shapes: [[Int]]
    private let pieces: [Piece]
    private let exchange: PieceExchange
    /// The piece of each weight, and how many gradients each piece waits for in this round.
    private let places: [Int: Int]
    private var missing: [Int] = []
    private var found: [Int: Tensor] = [:]
    private var next = 0

    /// - Parameters:
    ///   - order: The trained weights, by the order in which their gradients become final; the same in all processes.
    ///   - most: Numbers of a piece, unless a single weight has more; by default 8 MB, less for small networks.
    init(_ order: [Int], of weights: [ModelWeight], in group: ProcessGroup, most: Int? = nil) {
        shapes = weights.map(\.parameter.shape)
        let total = order.reduce(0) { $0 + weights[$1].parameter.count }
        let most = most ?? max(1 << 14, min(1 << 21, total / 16))
        var (pieces, places) = ([Piece()], [Int: Int]())
        for index in order {
            let count = weights[index].parameter.count
            if pieces[pieces.count - 1].count + count > most, pieces[pieces.count - 1].count > 0 {
                pieces.append(Piece())
            }
            places[index] = pieces.count - 1
            pieces[pieces.count - 1].weights.append((index, pieces[pieces.count - 1].count, count))
            pieces[pieces.count - 1].count += count
        }
        (self.pieces, self.places) = (pieces, places)
        exchange = PieceExchange(of: pieces.map(\.count), in: group)
    }

    /// The number of pieces.
    var count: Int { pieces.count }
    var times: PieceExchange.Times { exchange.times }

    /// Forgets what was added.
    func reset() { exchange.reset() }

    /// Begins a round, in which the first `active` processes have gradients.
    func beginRound(active: Int, isLast: Bool) {
        exchange.beginRound(active: active, isLast: isLast)
        missing = pieces.map(\.weights.count)
        (found, next) = ([:], 0)
    }

    /// Takes the final gradient of a weight; those of this round are exchanged as far as pieces are whole, in order.
    func put(_ gradient: Tensor, of weight: Int) {
        guard let piece = places[weight], found.updateValue(gradient, forKey: weight) == nil else { return }
        missing[piece] -= 1
        while next < count, missing[next] == 0 { submitNext() }
    }

    /// Exchanges what is left, with zeros for weights that have no gradient, and waits for the end of the round.
    func finishRound() throws(GroupFailure) {
        while next < count { submitNext() }
        found = [:]
        try exchange.finishRound()
    }

    private func submitNext() {
        let parts = pieces[next].weights.map { (found[$0.index], $0.start, $0.count) }
        next += 1
        exchange.submit { sum in
            for (gradient, start, count) in parts {
                sum.put(gradient?.values ?? [Float](repeating: 0, count: count), at: start)
            }
        }
    }

    /// The sum of each weight's gradients, after the last round; `nil` for weights that are not trained.
    func totals() -> [Tensor?] {
        var totals = [Tensor?](repeating: nil, count: shapes.count)
        for (number, piece) in pieces.enumerated() {
            for (index, start, count) in piece.weights {
                totals[index] = Tensor(exchange.total(of: number, from: start, count: count), shape: shapes[index])
            }
        }
        return totals
    }
}
