import Kernels
import Tensors

/// How an ordinary differential equation `dx/dt = v(x, t)` is solved.
public enum ODESolver: Hashable, Sendable {
    /// Adaptive Dormand–Prince 5(4). The step sizes are common to the batch.
    case rk45(relativeTolerance: Double = 1e-5, absoluteTolerance: Double = 1e-5)
    /// A method of fixed step, over evenly spaced times.
    case fixed(RungeKutta, steps: Int)

    /// Euler's method: one evaluation for each step.
    public static func euler(steps: Int) -> ODESolver { .fixed(.euler, steps: steps) }
    /// The midpoint method: two evaluations for each step.
    public static func midpoint(steps: Int) -> ODESolver { .fixed(.midpoint, steps: steps) }
    /// Heun's method: two evaluations for each step.
    public static func heun(steps: Int) -> ODESolver { .fixed(.heun, steps: steps) }

    /// Whether a sample's solution is the same in any batch: not where the step size follows the batch's error.
    var samplesAreIndependent: Bool {
        switch self {
        case .rk45: false
        case .fixed: true
        }
    }

    /// The state at `end` from the state `x` at `start`.
    ///
    /// - Parameter observe: Called with every state on the way, numbered from 0.
    func solve(
        _ x: Tensor, from start: Double, to end: Double, observe: ((IntermediateState) -> Void)?,
        slope: (Tensor, Double) -> Tensor
    ) -> Tensor {
        switch self {
        case .rk45(let relative, let absolute):
            return adaptive(x, from: start, to: end, relative, absolute, observe: observe, slope: slope)
        case .fixed(let method, let steps):
            precondition(steps > 0, "\(steps) steps")
            let times = timeGrid(from: start, to: end, count: steps + 1)
            var x = x
            for step in 0..<steps {
                x = method.step(x, from: times[step], to: times[step + 1], slope: slope)
                observe?(IntermediateState(step: step, time: times[step + 1], state: x, mean: x))
            }
            return x
        }
    }

    /// The state is kept in `Double`, and complex values count as one component of the error, as in SciPy. On a device
    /// it stays there, in single precision.
    private func adaptive(
        _ x: Tensor, from start: Double, to end: Double, _ relative: Double, _ absolute: Double,
        observe: ((IntermediateState) -> Void)?, slope: (Tensor, Double) -> Tensor
    ) -> Tensor {
        let shape = x.shape
        var solver = DormandPrince(relativeTolerance: relative, absoluteTolerance: absolute)
        var step = 0
        func show(_ t: Double, _ x: @autoclosure () -> Tensor) {
            guard let observe else { return }
            let x = x()
            observe(IntermediateState(step: step, time: t, state: x, mean: x))
            step += 1
        }
        guard Device.current == nil else {
            return solver.solve(
                from: start, to: end, TensorState(tensor: x), observe: { show($0, $1.tensor) },
                slope: { TensorState(tensor: slope($1.tensor, $0)) }
            ).tensor
        }
        func state(_ x: Tensor) -> HostState {
            HostState(values: x.values.map(Double.init), componentWidth: shape.last == 2 ? 2 : 1)
        }
        func tensor(_ state: HostState) -> Tensor { Tensor(state.values.map(Float.init), shape: shape) }
        let result = solver.solve(
            from: start, to: end, state(x), observe: { show($0, tensor($1)) }, slope: { state(slope(tensor($1), $0)) })
        return tensor(result)
    }
}
