import Foundation
import Kernels
import Tensors

/// The operations that an adaptive solver needs on its state.
protocol SolvedState {
    var isEmpty: Bool { get }
    /// Zeros in this state's place.
    var zeros: Self { get }
    /// `self ← self + factor · other`.
    mutating func add(_ factor: Double, _ other: Self)
    /// The root mean square of the components, each divided by its tolerance `absolute + relative · max(|a|, |b|)`.
    func norm(beside a: Self, _ b: Self, absolute: Double, relative: Double) -> Double
}

/// A state in double precision on the host, as SciPy keeps it.
struct HostState: SolvedState {
    var values: [Double]
    /// The adjacent numbers that make one component: 2 where the state is complex.
    var componentWidth = 1

    var isEmpty: Bool { values.isEmpty }
    var zeros: HostState {
        HostState(values: [Double](repeating: 0, count: values.count), componentWidth: componentWidth)
    }

    mutating func add(_ factor: Double, _ other: HostState) {
        for index in values.indices { values[index] += factor * other.values[index] }
    }

    func norm(beside a: HostState, _ b: HostState, absolute: Double, relative: Double) -> Double {
        let count = values.count / componentWidth
        var sum = 0.0
        for component in 0..<count {
            let share =
                magnitude(component) / (absolute + relative * max(a.magnitude(component), b.magnitude(component)))
            sum += share * share
        }
        return (sum / Double(count)).squareRoot()
    }

    private func magnitude(_ component: Int) -> Double {
        guard componentWidth == 2 else { return abs(values[component]) }
        return hypot(values[2 * component], values[2 * component + 1])
    }
}

/// A state in single precision where tensors are computed, such as on a device: only the norms are read from there.
struct TensorState: SolvedState {
    var tensor: Tensor

    var isEmpty: Bool { tensor.count == 0 }
    var zeros: TensorState { TensorState(tensor: .zeros(tensor.shape)) }

    mutating func add(_ factor: Double, _ other: TensorState) { tensor = .weighted(1, tensor, factor, other.tensor) }

    func norm(beside a: TensorState, _ b: TensorState, absolute: Double, relative: Double) -> Double {
        let (p, q) = (a.magnitudes, b.magnitudes)
        let difference = p - q
        let magnitude = difference * Tensor(buffer: signs(of: difference.buffer, times: 1), shape: p.shape)
        let tolerance = Tensor.weighted(0.5, p + q, 0.5, magnitude).scaled(by: relative, plus: absolute)
        let shares = magnitudes * (tolerance * tolerance).inverseRoot(plus: 0)
        return (shares.squaredNorm / Double(shares.count)).squareRoot()
    }

    /// The modulus of every component, which is a real and an imaginary part where the last axis has two.
    private var magnitudes: Tensor {
        let squares = tensor * tensor
        let sums = tensor.shape.last == 2 ? squares.channels(0..<1) + squares.channels(1..<2) : squares
        return sums * sums.inverseRoot(plus: 1e-30)
    }
}

extension Tensor {
    /// `1/√(self + offset)` of every element, as a constant.
    fileprivate func inverseRoot(plus offset: Float) -> Tensor {
        Tensor(buffer: inverseRoots(buffer, plus: offset), shape: shape)
    }
}
