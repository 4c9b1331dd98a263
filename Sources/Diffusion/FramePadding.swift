public import Tensors

/// How a spectrogram is padded to a multiple of the frames that the network needs.
public enum FramePadding: String, Hashable, Sendable, CaseIterable {
    /// Zeros.
    case zero = "zero_pad"
    /// Mirrored at the last frame, which is not repeated; mirrored again where the signal is too short.
    case reflection
    /// The last frame, repeated.
    case replication

    /// The smallest multiple of `multiple` that is at least `frames`.
    public static func paddedFrames(_ frames: Int, multiple: Int = 64) -> Int {
        (frames + multiple - 1) / multiple * multiple
    }

    /// Lengthens `x`, `[B, F, N, C]`, at its end until `N` is a multiple of `multiple`.
    public func pad(_ x: Tensor, multiple: Int = 64) -> Tensor {
        precondition(x.rank == 4, "frames of a tensor \(x.shape)")
        let frames = x.shape[2]
        let padded = Self.paddedFrames(frames, multiple: multiple)
        guard padded > frames else { return x }
        return x.frames(at: (0..<padded).map { source(of: $0, frames: frames) })
    }

    /// Removes the frames of `x`, `[B, F, N, C]`, from `frames` on.
    public static func trim(_ x: Tensor, to frames: Int) -> Tensor {
        precondition(x.rank == 4 && frames <= x.shape[2], "\(frames) frames of a tensor \(x.shape)")
        return frames < x.shape[2] ? x.frames(at: Array(0..<frames)) : x
    }

    /// The frame that padded frame `index` copies; nil for silence.
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
