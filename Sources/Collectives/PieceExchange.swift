import Dispatch
import Synchronization

/// Sums of vectors that several processes make piece by piece: a thread of its own exchanges finished pieces while the
/// caller makes the next ones.
///
/// Each piece is an ``OrderedSum``, so the bits do not depend on how a vector is divided. All processes exchange the
/// pieces in their order, in every round.
///
/// `@unchecked Sendable`: the caller begins a round, submits and reads sums only after ``finishRound()``; in between,
/// the queue's thread alone uses sums and group.
public final class PieceExchange: @unchecked Sendable {
    /// Seconds since the beginning.
    public struct Times: Sendable {
        /// That exchanges took, waiting for slower processes included.
        public var exchanging = 0.0
        /// That callers of ``finishRound()`` waited for them.
        public var waited = 0.0

        public init() {}
    }

    private let sums: [OrderedSum]
    private let queue = DispatchQueue(label: "sgmse.exchange", qos: .userInitiated)
    private let state = Mutex<(failure: GroupFailure?, times: Times)>((nil, Times()))
    private var next = 0
    private var active = 0
    private var isLast = false

    /// - Parameter lengths: Numbers of each piece.
    public init(of lengths: [Int], in group: ProcessGroup) { sums = lengths.map { OrderedSum(of: $0, in: group) } }

    /// The number of pieces.
    public var count: Int { sums.count }

    /// The time that exchanges took so far.
    public var times: Times { state.withLock { $0.times } }

    /// Forgets what was added.
    public func reset() { for sum in sums { sum.reset() } }

    /// Begins a round, in which the first `active` processes have vectors.
    ///
    /// - Parameter isLast: Whether the sums are whole after this round.
    ///
    /// Until ``finishRound()`` returns, nobody else may call the group.
    public func beginRound(active: Int, isLast: Bool) { (next, self.active, self.isLast) = (0, active, isLast) }

    /// Submits the next piece.
    ///
    /// - Parameter put: Puts this process's numbers into the piece, on the other thread.
    public func submit(_ put: @escaping @Sendable (OrderedSum) -> Void) {
        precondition(next < count, "piece \(next + 1) of \(count)")
        let (piece, active, isLast) = (next, active, isLast)
        next += 1
        queue.async { [self] in
            guard state.withLock({ $0.failure == nil }) else { return }
            let sum = sums[piece]
            put(sum)
            let start = ContinuousClock.now
            do throws(GroupFailure) {
                try sum.add(active: active)
                if isLast { try sum.finish() }
            } catch {
                state.withLock { $0.failure = error }
            }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            state.withLock { $0.times.exchanging += seconds }
        }
    }

    /// Waits until all pieces are exchanged.
    ///
    /// - Throws: The first failure; pieces after it were not exchanged.
    public func finishRound() throws(GroupFailure) {
        precondition(next == count, "\(next) of \(count) pieces")
        let start = ContinuousClock.now
        queue.sync {}
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let failure = state.withLock { state in
            state.times.waited += seconds
            return state.failure
        }
        if let failure { throw failure }
    }

    /// A part of a piece's whole sum, after the last round.
    public func total(of piece: Int, from start: Int, count: Int) -> [Float] {
        sums[piece].total(from: start, count: count)
    }
}
