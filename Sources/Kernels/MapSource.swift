import CDevice
import CKernels

/// The input of an operation: one buffer, or two concatenated along the channels, to which the affine map and the
/// activation of a normalisation are applied while it is read.
///
/// Convolutions read such a map block by block, so that neither the concatenated nor the normalised map is stored as a
/// whole.
public struct MapSource: Sendable {
    private struct Part: Sendable {
        var buffer: FloatBuffer
        var channels: Int
    }

    private let first: Part
    private var second: Part?
    /// Slopes and offsets, `[2, B, C]`.
    private var affine: FloatBuffer?
    private var activation = Activation.identity

    public init(_ buffer: FloatBuffer, channels: Int) {
        precondition(channels > 0 && buffer.count % channels == 0, "\(buffer.count) elements of \(channels) channels")
        first = Part(buffer: buffer, channels: channels)
    }

    /// This map with another of as many pixels beside it; `nil` if either is more than a buffer.
    public func beside(_ other: MapSource) -> MapSource? {
        guard second == nil, affine == nil, other.second == nil, other.affine == nil else { return nil }
        precondition(
            first.buffer.count / first.channels == other.first.buffer.count / other.first.channels,
            "maps of unlike size")
        var both = self
        both.second = other.first
        return both
    }

    /// Channels of both maps together.
    public var channels: Int { first.channels + (second?.channels ?? 0) }
    /// Elements of both maps together.
    public var count: Int { first.buffer.count + (second?.buffer.count ?? 0) }
    /// Whether the values are read unchanged.
    public var isUnchanged: Bool { affine == nil }

    /// This map as `act(gamma · (x − mean) · rstd + beta)`.
    public func normalized(
        statistics: FloatBuffer, gamma: FloatBuffer?, beta: FloatBuffer?, activation: Activation, shape: GroupShape
    ) -> MapSource {
        check(shape, statistics: statistics, gamma: gamma, beta: beta)
        let channels = shape.batch * shape.channels
        var result = self
        result.activation = activation
        if let device = Device.current {
            result.affine = device.made("normalization", 2 * channels) {
                unsafe $0.norm_affine(
                    statistics.on(device), gamma?.on(device), beta?.on(device), Int64(shape.batch),
                    Int64(shape.channels),
                    Int64(shape.groups))
            }
            return result
        }
        let made = FloatBuffer(count: 2 * channels)
        unsafe sg_norm_affine(
            statistics.base, gamma?.base, beta?.base, Int64(shape.batch), Int64(shape.channels), Int64(shape.groups),
            made.base, made.base + channels)
        result.affine = made
        return result
    }

    /// The whole map, dense.
    public func read(batch: Int, pixels: Int) -> FloatBuffer {
        precondition(
            count == batch * pixels * channels, "a source of \(count) elements, read as \(batch)×\(pixels)×\(channels)")
        if second == nil, affine == nil { return first.buffer }
        if let device = Device.current {
            return device.made("read", count) { table in
                unsafe withDevice(device) { unsafe table.source_read($0, Int64(batch), Int64(pixels)) }
            }
        }
        let y = FloatBuffer(count: count)
        unsafe withC { unsafe sg_source_read($0, Int64(batch), Int64(pixels), y.base) }
        return y
    }

    func withDevice<Result>(_ device: Device, _ body: (UnsafePointer<sgd_source>) -> Result) -> Result {
        withExtendedLifetime(self) {
            var c = unsafe sgd_source()
            unsafe c.part.0 = first.buffer.on(device)
            unsafe c.width.0 = Int64(first.channels)
            if let second {
                unsafe c.part.1 = second.buffer.on(device)
                unsafe c.width.1 = Int64(second.channels)
            }
            if let affine {
                unsafe c.affine = affine.on(device)
                unsafe c.activation = activation.rawValue
            }
            return unsafe body(&c)
        }
    }

    func withC<Result>(_ body: (UnsafePointer<sg_source>) -> Result) -> Result {
        withExtendedLifetime(self) {
            var c = unsafe sg_source()
            unsafe c.part.0 = UnsafePointer(first.buffer.base)
            unsafe c.width.0 = Int64(first.channels)
            if let second {
                unsafe c.part.1 = UnsafePointer(second.buffer.base)
                unsafe c.width.1 = Int64(second.channels)
            }
            if let affine {
                unsafe c.slope = UnsafePointer(affine.base)
                unsafe c.offset = UnsafePointer(affine.base + affine.count / 2)
                unsafe c.activation = activation.rawValue
            }
            return unsafe body(&c)
        }
    }

    func check(_ shape: GroupShape, statistics: FloatBuffer? = nil, gamma: FloatBuffer? = nil, beta: FloatBuffer? = nil)
    {
        precondition(isUnchanged, "a source is normalised once")
        precondition(
            count == shape.batch * shape.pixels * shape.channels && channels == shape.channels,
            "a source of \(count) for \(shape)")
        precondition(
            statistics.map { $0.count == shape.batch * shape.groups * 2 } ?? true, "statistics of another shape")
        precondition(gamma.map { $0.count == channels } ?? true, "gamma of another shape")
        precondition(beta.map { $0.count == channels } ?? true, "beta of another shape")
    }
}
