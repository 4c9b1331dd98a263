package import Kernels
import Synchronization

/// A network's computations, recorded by the device in use for each shape of input, and replayed from then on.
///
/// A device that records (a CUDA card) launches a pass of hundreds of operations at once. The first call of a shape is
/// computed as usual, the second is watched, and the third is recorded, unless the second needed the host; where
/// gradients are wanted, the way back is a recording of its own.
///
/// What a network computes on the host, it computes from the times of its samples, by
/// ``Tensor/computed(from:shape:_:)``.
package final class Replays: Sendable {
    private let passes = Mutex<[Key: RecordedPass]>([:])
    private let memory = PassMemory()

    package init() {}

    /// The result of `body` for these inputs.
    ///
    /// - Parameters:
    ///   - inputs: All tensors that the result depends on and that are not among `weights`; of the same shapes, `body`
    ///     asks for the same operations.
    ///   - times: One per sample.
    ///   - variant: What else decides which operations `body` asks for.
    ///   - weights: Tensors that `body` reads, whose elements are only ever replaced in place.
    package func callAsFunction(
        _ inputs: [Tensor], _ times: [Float], variant: Int = 0, weights: @autoclosure () -> [Tensor],
        _ body: ([Tensor], [Float]) -> Tensor
    ) -> Tensor {
        guard let device = Device.current, device.records, HostNumbers.current == nil, !Gradients.areDeferred,
            inputs.allSatisfy({ $0.tangent == nil })
        else { return body(inputs, times) }
        let call = PassInput(device: device, inputs: inputs, times: times, weights: weights())
        let key = Key(
            device: ObjectIdentifier(device), precision: .current, shapes: inputs.map(\.shape), wanted: call.wanted,
            variant: variant)
        return pass(key).run(call, in: memory, body)
    }

    private struct Key: Hashable {
        var device: ObjectIdentifier
        var precision: Precision
        var shapes: [[Int]]
        /// Which inputs and weights get gradients; empty for a pass without.
        var wanted: [Bool]
        var variant: Int
    }

    /// Shapes that are remembered; each recording holds its inputs and its result, and with gradients the memory of its
    /// pass.
    private static let most = 16

    private func pass(_ key: Key) -> RecordedPass {
        passes.withLock { passes in
            if let known = passes[key] { return known }
            // Few shapes come back after so many others: all of them are let go of.
            if passes.count >= Self.most { passes = [:] }
            let new = RecordedPass()
            passes[key] = new
            return new
        }
    }
}

/// The inputs of one pass.
struct PassInput {
    let device: Device
    let inputs: [Tensor]
    let times: [Float]
    let weights: [Tensor]
    /// Which inputs and weights get gradients; empty where none does.
    let wanted: [Bool]
    /// Where the weights are on the device.
    let places: [UInt]

    init(device: Device, inputs: [Tensor], times: [Float], weights: [Tensor]) {
        (self.device, self.inputs, self.times, self.weights) = (device, inputs, times, weights)
        let wanted = Gradients.areRecorded ? (inputs + weights).map { $0.recordedNode != nil } : []
        self.wanted = wanted.contains(true) ? wanted : []
        places = weights.map { $0.buffer.place(on: device) }
    }
}
