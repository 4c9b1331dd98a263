package import Kernels

/// The numbers that a recorded computation takes from the host: tensors that stay where they are, and are filled anew
/// for the times of each replay.
///
/// `@unchecked Sendable`: used by the one thread that rehearses, records, or replays.
final class HostNumbers: @unchecked Sendable {
    typealias Rule = @Sendable (_ times: [Float]) -> [Float]

    @TaskLocal static var current: HostNumbers?

    private let device: Device
    private var rules: [(buffer: FloatBuffer, rule: Rule)] = []
    /// The next one to be handed out to a recording; `nil` while they are collected.
    private var next: Int?

    init(on device: Device) { self.device = device }

    var count: Int { rules.count }

    /// From now on, what was collected is handed out again, in the same order.
    func handOut() { next = 0 }

    fileprivate func buffer(_ times: [Float], _ rule: @escaping Rule) -> FloatBuffer {
        if let place = next {
            next = place + 1
            return rules[place].buffer
        }
        let buffer = FloatBuffer(rule(times))
        _ = buffer.place(on: device)
        rules.append((buffer, rule))
        return buffer
    }

    /// Fills all tensors for these times.
    func fill(for times: [Float]) {
        for (buffer, rule) in rules { buffer.copy(from: FloatBuffer(rule(times))) }
    }
}

extension Tensor {
    /// A constant that a network computes on the host from the times of its samples.
    ///
    /// - Parameters:
    ///   - times: The network's, unchanged.
    ///   - rule: Gives the elements, and uses nothing that changes but the times.
    package static func computed(
        from times: [Float], shape: [Int], _ rule: @escaping @Sendable (_ times: [Float]) -> [Float]
    ) -> Tensor {
        guard let numbers = HostNumbers.current else { return Tensor(rule(times), shape: shape) }
        return Tensor(buffer: numbers.buffer(times, rule), shape: shape)
    }
}
