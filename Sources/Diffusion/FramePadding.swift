import Tensors

/// How a spectrogram is lengthened to a whole number of the frames that a network halves.
public enum FramePadding: String, Hashable, Sendable, CaseIterable {
    /// Zeros.
    case zero = "zero_pad"
    /// Mirrored at the last frame, which is not repeated; mirrored again where the signal is too short.
    case reflection
    /// The last frame, repeated.
    case replication

    /// The least multiple of `multiple` that holds `frames`.
    public static func paddedFrames(_ frames: Int, multiple: Int = 64) -> Int {
        (frames + multiple - 1) / multiple * multiple
    }

    /// Lengthens `x`, `[B, F, N, C]`, at its end until `N` is a multiple of `multiple`.
    public func pad(_ x: Tensor, multiple: Int = 64) -> Tensor {
        precondition(x.rank == 4, "frames of a tensor \(x.shape)")
        let (frames, width) = (x.shape[2], x.shape[3])
        let padded = Self.paddedFrames(frames, multiple: multiple)
        guard padded > frames else { return x }
        let sources = (0..<padded).map { source(of: $0, frames: frames) }
        let rows = x.shape[0] * x.shape[1]
        var values: [Float] = []
        values.reserveCapacity(rows * padded * width)
        x.withSpan { span in
            for row in 0..<rows {
                for source in sources {
                    for part in 0..<width {
                        values.append(source.map { span[(row * frames + $0) * width + part] } ?? 0)
                    }
                }
            }
        }
        return Tensor(values, shape: [x.shape[0], x.shape[1], padded, width])
    }

    /// Removes the frames of `x`, `[B, F, N, C]`, from `frames` on.
    public static func trim(_ x: Tensor, to frames: Int) -> Tensor {
        precondition(x.rank == 4 && frames <= x.shape[2], "\(frames) frames of a tensor \(x.shape)")
        let (stored, width) = (x.shape[2], x.shape[3])
        guard frames < stored else { return x }
        let rows = x.shape[0] * x.shape[1]
        let values = x.withSpan { span in
            (0..<rows).flatMap { row in (0..<frames * width).map { span[row * stored * width + $0] } }
        }
        return Tensor(values, shape: [x.shape[0], x.shape[1], frames, width])
    }

    /// The frame that padded frame `index` shows; nil for silence.
    private func source(of index: Int, frames: Int) -> Int? {
        guard index >= frames else { return index }
        switch self {
        case .zero: return nil
        case .replication: return frames - 1
        case .reflection:
            guard frames > 1 else { return 0 }
            let phase = index % (2 * (frames - 1))
            return min(phase, 2 * (frames - 1) - phase)
        }
    }
}
