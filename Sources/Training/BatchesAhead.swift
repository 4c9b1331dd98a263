import Dispatch
import Kernels
import Synchronization
import Tensors

/// The batches of this process's steps: those of the next step are made, and copied to the device in use, on another
/// thread while the present step is computed.
///
/// All draws are addressed by step, so batches do not depend on when they are made. What making them throws is thrown
/// at their own step.
package final class BatchesAhead {
    private typealias Made = Result<[TrainingBatchInput], any Error>

    private let make: @Sendable (Int) throws -> [TrainingBatchInput]
    private let total: Int
    private let isAhead: Bool
    private let queue = DispatchQueue(label: "sgmse.batches", qos: .userInitiated)
    private var next: (step: Int, made: Mailbox)?

    /// The batches of one of `count` processes: parts `rank`, `rank + count`, … of each step.
    convenience init(
        _ draws: TrainingDraws, _ data: TrainingData, total: Int, rank: Int = 0, count: Int = 1
    ) {
        self.init(total: total, isAhead: Device.current != nil) { step in
            try stride(from: rank, to: draws.parts, by: count).map { try draws.batch($0, of: step, data) }
        }
    }

    /// - Parameters:
    ///   - total: The steps of the training; nothing is made for later ones.
    ///   - isAhead: Whether another thread makes the next batches; if not, each is made when its step begins.
    ///   - make: Makes the batches of a step, in any thread.
    package init(total: Int, isAhead: Bool, _ make: @escaping @Sendable (Int) throws -> [TrainingBatchInput]) {
        (self.total, self.isAhead, self.make) = (total, isAhead, make)
    }

    /// The batches of a step, after which those of the next are begun.
    package func batches(of step: Int) throws -> [TrainingBatchInput] {
        finish()
        let made = next?.step == step ? next?.made.take() : nil
        next = nil
        let batches = try made?.get() ?? make(step)
        if isAhead, step + 1 < total { begin(step + 1) }
        return batches
    }

    /// Waits until the other thread is idle.
    package func finish() { queue.sync {} }

    private func begin(_ step: Int) {
        let (box, make, device) = (Mailbox(), make, Device.current)
        next = (step, box)
        queue.async {
            box.put(
                Made {
                    try Device.with(device) {
                        let batches = try Engine.serially { try make(step) }
                        for batch in batches { batch.upload() }
                        return batches
                    }
                })
        }
    }

    /// What the other thread hands over.
    private final class Mailbox: Sendable {
        private let made = Mutex<Made?>(nil)
        func put(_ result: Made) { made.withLock { $0 = result } }
        func take() -> Made? { made.withLock { $0 } }
    }
}

extension TrainingBatchInput {
    /// Copies what the step reads on the device in use to it.
    fileprivate func upload() { for tensor in [clean, noisy, noise, reference] { tensor?.buffer.upload() } }
}
