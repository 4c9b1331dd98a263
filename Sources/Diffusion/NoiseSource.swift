import Kernels
public import Tensors

/// Where a sampler's random numbers come from: complex noise of unit variance, so ½ in each part.
public struct NoiseSource: Sendable {
    private enum Origin: Sendable {
        case given([Tensor], next: Int)
        case addressed(AddressedNoise)
    }
    private var origin: Origin
    /// Why a given list did not fit the requests; missing numbers are zeros.
    public private(set) var shortage: String?

    /// Noise from a list, in the order of the requests: the prior, then for every step the corrector's
    /// draws and the predictor's.
    public static func given(_ tensors: [Tensor]) -> NoiseSource { NoiseSource(origin: .given(tensors, next: 0)) }

    /// Noise that depends on the seed and, sample by sample, on the file alone.
    ///
    /// Two models, or two settings of one, get the same noise: the prior is that of (seed, file), the predictor's
    /// increments are those of one Brownian path per (seed, file) whatever the number of steps is, and a corrector's
    /// draw is that of (seed, file, step, corrector step). Neither the batch nor the padding at its end matters.
    ///
    /// - Parameter files: A name for every sample of the batch, in order.
    public static func addressed(seed: UInt64, files: [String]) -> NoiseSource {
        NoiseSource(origin: .addressed(AddressedNoise(seed: seed, files: files)))
    }

    /// How many draws were taken from a given list.
    public var drawsTaken: Int? { if case .given(_, let next) = origin { next } else { nil } }

    /// The noise of the sampling start.
    public mutating func prior(like x: Tensor) -> Tensor {
        draw(like: x) { $0.prior(like: x) }
    }

    /// The noise of a step from `t` to the earlier time `s`, scaled to unit variance.
    public mutating func increment(from t: Double, to s: Double, like x: Tensor) -> Tensor {
        draw(like: x) { $0.increment(from: t, to: s, like: x) }
    }

    /// The noise of a corrector.
    public mutating func correction(step: Int, substep: Int, like x: Tensor) -> Tensor {
        draw(like: x) { $0.correction(step: step, substep: substep, like: x) }
    }

    private mutating func draw(like x: Tensor, _ addressed: (inout AddressedNoise) -> Tensor) -> Tensor {
        switch origin {
        case .given(let tensors, let next):
            origin = .given(tensors, next: next + 1)
            guard next < tensors.count, tensors[next].shape == x.shape else {
                let found =
                    next < tensors.count
                    ? "is \(tensors[next].shape) for a state \(x.shape)" : "is not among the \(tensors.count) given"
                shortage = shortage ?? "draw \(next) \(found)"
                return .zeros(x.shape)
            }
            return tensors[next]
        case .addressed(var noise):
            origin = .given([], next: 0)  // so that `noise` owns its cache alone
            defer { origin = .addressed(noise) }
            return addressed(&noise)
        }
    }
}

/// Draws by address; see ``NoiseSource/addressed(seed:files:)``.
struct AddressedNoise: Sendable {
    private let seed: UInt64
    private let files: [String]
    private var paths: [BrownianPath]

    init(seed: UInt64, files: [String]) {
        (self.seed, self.files) = (seed, files)
        paths = files.map { BrownianPath(stream: RandomStream(seed: seed, purpose: "sampler path", file: $0)) }
    }

    func prior(like x: Tensor) -> Tensor {
        assemble(like: x) { sample, count in
            RandomStream(seed: seed, purpose: "sampler prior", file: files[sample])
                .normals(count, standardDeviation: 0.5.squareRoot())
        }
    }

    func correction(step: Int, substep: Int, like x: Tensor) -> Tensor {
        assemble(like: x) { sample, count in
            RandomStream(seed: seed, purpose: "sampler corrector", file: files[sample], step, substep)
                .normals(count, standardDeviation: 0.5.squareRoot())
        }
    }

    mutating func increment(from t: Double, to s: Double, like x: Tensor) -> Tensor {
        // The path runs with the sampler, from t = 1 down to 0.
        precondition(0 <= s && s < t && t <= 1, "a step from \(t) to \(s)")
        var paths = paths
        self.paths = []
        let scale = Float(1 / (t - s).squareRoot())
        let tensor = assemble(like: x) { sample, count in
            let before = paths[sample].value(at: 1 - t, count: count)
            let after = paths[sample].value(at: 1 - s, count: count)
            return zip(before, after).map { scale * ($1 - $0) }
        }
        self.paths = paths
        return tensor
    }

    /// A tensor in the shape of `x` out of one row of numbers per sample.
    ///
    /// The numbers go frame by frame, so a sample's noise does not depend on the padding behind its last frame.
    private func assemble(like x: Tensor, _ row: (_ sample: Int, _ count: Int) -> [Float]) -> Tensor {
        precondition(x.shape.first == files.count, "a state \(x.shape) of \(files.count) files")
        let each = x.shape.dropFirst().reduce(1, *)
        var values: [Float] = []
        values.reserveCapacity(x.count)
        for sample in files.indices {
            let numbers = row(sample, each)
            guard x.rank == 4 else {
                values += numbers
                continue
            }
            let (bins, frames, parts) = (x.shape[1], x.shape[2], x.shape[3])
            for bin in 0..<bins {
                for frame in 0..<frames {
                    let start = (frame * bins + bin) * parts
                    for part in 0..<parts { values.append(numbers[start + part]) }
                }
            }
        }
        return Tensor(values, shape: x.shape)
    }
}

extension RandomStream {
    /// The stream of a file, by its name.
    fileprivate init(seed: UInt64, purpose: String, file: String, _ indices: Int...) {
        self.init(seed: seed, purpose: "\(purpose)/\(file)", indices: indices)
    }
}
