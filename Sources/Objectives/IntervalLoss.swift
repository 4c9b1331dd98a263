public import Diffusion
public import Tensors

/// The random numbers of a pair that an objective over two times may use.
public struct IntervalDraw: Hashable, Sendable {
    /// Uniform in `[0, 1)`.
    public var uniforms: (Double, Double)
    /// Standard normal.
    public var normals: (Double, Double)

    public init(uniforms: (Double, Double) = (0.5, 0.5), normals: (Double, Double) = (0, 0)) {
        (self.uniforms, self.normals) = (uniforms, normals)
    }

    /// Equal if all four numbers are; tuples have no conformance of their own.
    public static func == (a: Self, b: Self) -> Bool { a.uniforms == b.uniforms && a.normals == b.normals }

    public func hash(into hasher: inout Hasher) {
        for number in [uniforms.0, uniforms.1, normals.0, normals.1] { hasher.combine(number) }
    }
}

/// A batch of pairs on a path, and the progress of training. Spectrograms are `[B, F, N, 2]`.
public struct PathBatch: Sendable {
    /// The process whose path the batch lies on.
    public var process: any SDE
    /// Spectrograms of clean and noisy speech and the standard noise between them, `[B, F, N, 2]` each.
    public var clean, noisy, noise: Tensor
    /// One for every pair, uniform in training's range of times.
    public var times: [Double]
    /// The times of each sample.
    public var draws: [IntervalDraw]
    /// The number of the step, from 0.
    public var step: Int
    /// The share of training that is done, from 0 to 1.
    public var progress: Double

    public init(
        process: any SDE, clean: Tensor, noisy: Tensor, noise: Tensor, times: [Double], draws: [IntervalDraw],
        step: Int = 0,
        progress: Double = 1
    ) {
        (self.process, self.clean, self.noisy, self.noise) = (process, clean, noisy, noise)
        (self.times, self.draws, self.step, self.progress) = (times, draws, step, progress)
    }

    /// `x_t` at given times.
    public func state(at times: [Double]) -> Tensor { combined(times.map { process.marginal(at: $0) }) }

    /// `dx_t/dt` at given times.
    public func velocity(at times: [Double]) -> Tensor { combined(times.map { process.velocity(at: $0) }) }

    private func combined(_ weights: [(clean: Double, noisy: Double, std: Double)]) -> Tensor {
        clean.scaledSamples(by: weights.map(\.clean)) + noisy.scaledSamples(by: weights.map(\.noisy))
            + noise.scaledSamples(by: weights.map(\.std))
    }
}

/// A network of two times, `u(x_t, r, t)`, given the pairs' noisy speech.
public struct IntervalNetwork {
    /// The average velocity over `t … r`, one interval per sample.
    public let average: (_ x: Tensor, _ t: [Double], _ r: [Double]) -> Tensor
    /// `(ẋ ∂ₓ + ∂_t) u`: the derivative for `dt` = 1, `dx` = `ẋ` and constant `r`. It carries no gradient.
    public let derivative: (_ x: Tensor, _ t: [Double], _ r: [Double], _ direction: Tensor) -> Tensor

    public init(
        average: @escaping (Tensor, [Double], [Double]) -> Tensor,
        derivative: @escaping (Tensor, [Double], [Double], Tensor) -> Tensor
    ) {
        (self.average, self.derivative) = (average, derivative)
    }
}

/// An objective that calls the network itself, at times that it chooses.
public protocol IntervalLoss: TrainingLoss {
    func callAsFunction(_ batch: PathBatch, _ network: IntervalNetwork) -> LossValue
}

extension IntervalLoss {
    /// The network predicts an average velocity.
    public var output: ModelOutput { .velocity }

    /// The velocity's distance, for a network of one time.
    public func callAsFunction(_ input: LossInput) -> LossValue { VelocityMatchingLoss()(input) }
}
