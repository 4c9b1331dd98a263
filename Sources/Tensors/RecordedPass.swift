import Kernels
import Synchronization

/// One pass of a network for one shape: computed, watched, then recorded and replayed.
final class RecordedPass: Sendable {
    private enum Stage {
        case new
        /// To be watched; how often that was in vain, as where weights had to be brought anew.
        case known(vain: Int)
        case watched(HostNumbers)
        /// Recorded by another thread just now.
        case busy
        case recorded(Recording)
        case refused
    }
    private let stage = Mutex(Stage.new)
    private static let patience = 3

    typealias Body = ([Tensor], [Float]) -> Tensor

    /// - Parameter memory: What recordings without gradients share.
    func run(_ input: PassInput, in memory: PassMemory, _ body: Body) -> Tensor {
        let next = stage.withLock { stage in
            let now = stage
            switch now {
            case .new: stage = .known(vain: 0)
            case .watched: stage = .busy
            case .recorded(let recording) where recording.places != input.places: stage = .known(vain: 0)
            default: break
            }
            return now
        }
        switch next {
        case .known(let vain): return watch(input, body, vain)
        case .watched(let numbers):
            let recording = Recording(input, numbers, in: input.wanted.isEmpty ? memory : PassMemory(), body)
            stage.withLock { $0 = recording.map(Stage.recorded) ?? .refused }
            return recording?.replay(input) ?? body(input.inputs, input.times)
        case .recorded(let recording) where recording.places == input.places:
            return recording.replay(input) ?? body(input.inputs, input.times)
        case .new, .busy, .recorded, .refused: return body(input.inputs, input.times)
        }
    }

    /// Computes the pass, and sees whether it needs the host for more than the numbers it makes from the times.
    private func watch(_ input: PassInput, _ body: Body, _ vain: Int) -> Tensor {
        let device = input.device
        for tensor in input.inputs { _ = tensor.buffer.place(on: device) }
        let numbers = HostNumbers(on: device)
        let (result, transfers) = HostUse.counted {
            HostNumbers.$current.withValue(numbers) { body(input.inputs, input.times) }
        }
        let isClean = transfers == numbers.count
        numbers.handOut()
        stage.withLock { stage in
            guard case .known = stage else { return }
            stage = isClean ? .watched(numbers) : vain < Self.patience ? .known(vain: vain + 1) : .refused
        }
        return result
    }
}

/// The memory of recorded passes that are replayed one after the other, each read before the next begins: it is as
/// large as the largest of them needs.
final class PassMemory: Sendable {
    private struct Newest {
        weak var recording: DeviceRecording?
    }
    /// Held from the copies of a pass's inputs to that of its result.
    let turn = Mutex(())
    private let newest = Mutex(Newest())

    /// Records what may use the memory of the recordings before it.
    func record(on device: Device, _ body: () -> Void) -> DeviceRecording? {
        // One at a time, so that the second finds the first.
        newest.withLock { newest in
            let recording = DeviceRecording(on: device, beside: newest.recording, body)
            if let recording { newest.recording = recording }
            return recording
        }
    }
}

/// A recorded pass with the tensors that it reads and writes.
///
/// `@unchecked Sendable`: everything is constant but the tensors' contents and `waiting`, which the turn of its memory
/// guards.
final class Recording: @unchecked Sendable {
    /// Where the weights were.
    let places: [UInt]
    private let device: Device
    private let numbers: HostNumbers
    private let inputs: [FloatBuffer]
    private let output: (buffer: FloatBuffer, shape: [Int])
    private let forward: DeviceRecording
    private let backward: Backward?
    private let memory: PassMemory
    /// The way back of the newest pass, which the next one may only overwrite once it has been taken or dropped.
    private weak var waiting: Way?

    private struct Backward {
        let seed: FloatBuffer
        let recording: DeviceRecording
        /// Of inputs and weights; `nil` for one that has none.
        let gradients: [Tensor?]
    }
    private final class Way: Sendable {}

    /// `nil` where the device cannot record the pass.
    init?(_ input: PassInput, _ numbers: HostNumbers, in memory: PassMemory, _ body: RecordedPass.Body) {
        let device = input.device
        let places = input.places
        let inputs = FloatBuffer.copies(of: input.inputs.map(\.buffer), on: device)
        let leaves = zip(inputs, input.inputs).enumerated().map { index, pair in
            let leaf = Tensor(buffer: pair.0, shape: pair.1.shape)
            return !input.wanted.isEmpty && input.wanted[index] ? leaf.tracked() : leaf
        }
        // Libraries make handles and plans for each thread when it first computes: not while something is recorded.
        if input.wanted.isEmpty {
            let rehearsal = HostNumbers.$current.withValue(numbers) { Gradients.off { body(leaves, input.times) } }
            _ = rehearsal.buffer.place(on: device)
            numbers.handOut()
        }
        var result: Tensor?
        let forward = memory.record(on: device) {
            HostNumbers.$current.withValue(numbers) {
                func compute() -> Tensor { body(leaves, input.times) }
                let made = input.wanted.isEmpty ? Gradients.off(compute) : compute()
                result = made
                _ = made.buffer.place(on: device)
            }
        }
        guard let forward, let result else { return nil }
        var backward: Backward?
        if !input.wanted.isEmpty {
            let seed = FloatBuffer(repeating: 0, count: result.count)
            var gradients: [Tensor?] = []
            let recording = DeviceRecording(on: device, beside: forward) {
                let table = result.gradients(seed: Tensor(buffer: seed, shape: result.shape))
                gradients = zip(leaves + input.weights, input.wanted).map { $1 ? table[$0] : nil }
                for gradient in gradients { _ = gradient?.buffer.place(on: device) }
            }
            guard let recording else { return nil }
            backward = Backward(seed: seed, recording: recording, gradients: gradients)
        }
        (self.places, self.device, self.numbers, self.inputs) = (places, device, numbers, inputs)
        output = (result.buffer, result.shape)
        (self.forward, self.backward, self.memory) = (forward, backward, memory)
    }

    /// The pass for other inputs; `nil` while an earlier pass still waits for its way back.
    func replay(_ input: PassInput) -> Tensor? {
        memory.turn.withLock { _ in
            guard waiting == nil else { return nil }
            for (buffer, tensor) in zip(inputs, input.inputs) { buffer.copy(from: tensor.buffer) }
            numbers.fill(for: input.times)
            forward.replay()
            let found = FloatBuffer.copies(of: [output.buffer], on: device)[0]
            guard let backward else { return Tensor(buffer: found, shape: output.shape) }
            let way = Way()
            waiting = way
            return Tensor(buffer: found, shape: output.shape, from: input.inputs + input.weights) {
                [self] dy, sink in
                let gradients = withExtendedLifetime(way) { back(backward, dy) }
                for (index, gradient) in gradients where sink.wants(index) { sink.add(gradient, to: index) }
            }
        }
    }

    /// The gradients of inputs and weights, by their place among them.
    private func back(_ backward: Backward, _ dy: Tensor) -> [(Int, Tensor)] {
        memory.turn.withLock { _ in
            backward.seed.copy(from: dy.buffer)
            backward.recording.replay()
            waiting = nil
            let there = backward.gradients.enumerated().compactMap { index, found in found.map { (index, $0) } }
            let copies = FloatBuffer.copies(of: there.map(\.1.buffer), on: device)
            return zip(there, copies).map { ($0.0, Tensor(buffer: $1, shape: $0.1.shape)) }
        }
    }
}
