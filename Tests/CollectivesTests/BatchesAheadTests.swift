import Synchronization
import Tensors
import Testing
import Training

@Suite struct BatchesAheadTests {
    private func batch(_ number: Int) -> TrainingBatchInput {
        let values = Tensor([Float](repeating: Float(number), count: 4), shape: [1, 1, 2, 2])
        return TrainingBatchInput(clean: values, noisy: values, times: [0.5], noise: values)
    }

    private struct Unreadable: Error, Equatable { var step: Int }

    /// The batches are the same; each step's are made while the step before it goes on, and none after the last.
    @Test(arguments: [false, true]) func batchesDoNotDependOnWhenTheyAreMade(isAhead: Bool) throws {
        let made = Mutex<[Int]>([])
        let ahead = BatchesAhead(total: 5, isAhead: isAhead) { step in
            made.withLock { $0.append(step) }
            return [batch(step)]
        }
        for step in 2..<5 {
            let found = try ahead.batches(of: step)
            #expect(found.count == 1 && found[0].noise.values == batch(step).noise.values)
        }
        ahead.finish()
        #expect(made.withLock { $0 } == [2, 3, 4])
        #expect(try ahead.batches(of: 0)[0].noise.values == batch(0).noise.values)
        ahead.finish()
        #expect(made.withLock { $0 } == (isAhead ? [2, 3, 4, 0, 1] : [2, 3, 4, 0]))
    }

    /// A file that cannot be read fails the step that needs it, not the one before.
    @Test func anErrorIsThrownAtItsStep() throws {
        let ahead = BatchesAhead(total: 5, isAhead: true) { step in
            if step == 1 { throw Unreadable(step: step) }
            return [batch(step)]
        }
        #expect(try ahead.batches(of: 0).count == 1)
        #expect(throws: Unreadable(step: 1)) { try ahead.batches(of: 1) }
        ahead.finish()
    }
}
