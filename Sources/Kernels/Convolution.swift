import CDevice
import CKernels
import Synchronization

/// The window of a convolution along one axis.
public struct ConvolutionWindow: Hashable, Sendable {
    /// Taps; the distance between outputs; zeros before and after the input; the distance between taps.
    public var kernel, stride, padBefore, padAfter, dilation: Int

    /// - Parameters:
    ///   - padBefore: Zeros before the input; as many as keep the size of an odd kernel, unless given.
    ///   - padAfter: Zeros after it; `padBefore` unless given.
    public init(kernel: Int = 3, stride: Int = 1, padBefore: Int? = nil, padAfter: Int? = nil, dilation: Int = 1) {
        self.kernel = kernel
        self.stride = stride
        self.padBefore = padBefore ?? (kernel - 1) / 2 * dilation
        self.padAfter = padAfter ?? self.padBefore
        self.dilation = dilation
        precondition(
            kernel > 0 && stride > 0 && dilation > 0 && self.padBefore >= 0 && self.padAfter >= 0,
            "convolution: \(self)")
    }

    /// The distance from the first to the last tap.
    var reach: Int { dilation * (kernel - 1) }

    /// Elements along the axis for an input of `size`; 0 where the window does not fit.
    public func outputSize(_ size: Int) -> Int {
        let room = size + padBefore + padAfter - reach - 1
        return room < 0 ? 0 : room / stride + 1
    }

    /// Whether the gradient with respect to the input is itself a convolution of stride 1.
    var hasConvolutionAsGradient: Bool { stride == 1 && padBefore <= reach && padAfter <= reach }

    /// The window of that convolution.
    var transposed: ConvolutionWindow {
        ConvolutionWindow(kernel: kernel, padBefore: reach - padBefore, padAfter: reach - padAfter, dilation: dilation)
    }

    fileprivate var isUnspread: Bool { stride == 1 && dilation == 1 }

    fileprivate var onDevice: sgd_window {
        sgd_window(
            kernel: Int64(kernel), stride: Int64(stride), before: Int64(padBefore), after: Int64(padAfter),
            dilation: Int64(dilation))
    }

    fileprivate var c: sg_window {
        sg_window(
            kernel: Int64(kernel), stride: Int64(stride), before: Int64(padBefore), after: Int64(padAfter),
            dilation: Int64(dilation))
    }
}

/// The shape of a two-dimensional convolution over `[B, H, W, C]` with a filter `[F, C, kH, kW]`.
public struct ConvolutionShape: Hashable, Sendable {
    /// The extents `B`, `H`, `W`, `C` and `F`.
    public var batch, height, width, channels, filters: Int
    /// The windows along height and width.
    public var vertical, horizontal: ConvolutionWindow

    public init(
        batch: Int, height: Int, width: Int, channels: Int, filters: Int, vertical: ConvolutionWindow,
        horizontal: ConvolutionWindow
    ) {
        self.batch = batch
        self.height = height
        self.width = width
        self.channels = channels
        self.filters = filters
        self.vertical = vertical
        self.horizontal = horizontal
        precondition(
            batch > 0 && height > 0 && width > 0 && channels > 0 && filters > 0 && outHeight > 0 && outWidth > 0,
            "convolution: \(self) has no output")
    }

    /// One window along both axes.
    public init(
        batch: Int, height: Int, width: Int, channels: Int, filters: Int, kernel: Int = 3,
        stride: Int = 1, padBefore: Int? = nil, padAfter: Int? = nil, dilation: Int = 1
    ) {
        let window = ConvolutionWindow(
            kernel: kernel, stride: stride, padBefore: padBefore, padAfter: padAfter, dilation: dilation)
        self.init(
            batch: batch, height: height, width: width, channels: channels, filters: filters, vertical: window,
            horizontal: window)
    }

    /// Rows of the output.
    public var outHeight: Int { vertical.outputSize(height) }
    /// Columns of the output.
    public var outWidth: Int { horizontal.outputSize(width) }
    /// Elements of the input, `B·H·W·C`.
    public var inCount: Int { batch * height * width * channels }
    /// Elements of the output, `B·H'·W'·F`.
    public var outCount: Int { batch * outHeight * outWidth * filters }
    /// Taps of one filter for one channel, `kH·kW`.
    public var taps: Int { vertical.kernel * horizontal.kernel }
    /// Elements of the filter, `F·C·kH·kW`.
    public var weightCount: Int { filters * channels * taps }
    /// Multiplications and additions of the defining sum.
    public var flops: Double { 2 * Double(outCount) * Double(channels * taps) }

    /// Whether the gradient with respect to the input is itself a convolution of stride 1.
    public var inputGradientIsConvolution: Bool {
        vertical.hasConvolutionAsGradient && horizontal.hasConvolutionAsGradient
    }

    /// The convolution, over gradients of outputs, that gives the gradient of the input.
    var transposed: ConvolutionShape {
        ConvolutionShape(
            batch: batch, height: outHeight, width: outWidth, channels: filters, filters: channels,
            vertical: vertical.transposed, horizontal: horizontal.transposed)
    }

    var onDevice: sgd_conv {
        sgd_conv(
            batch: Int64(batch), height: Int64(height), width: Int64(width), channels: Int64(channels),
            filters: Int64(filters), y: vertical.onDevice, x: horizontal.onDevice)
    }

    var c: sg_conv_shape {
        sg_conv_shape(
            batch: Int64(batch), height: Int64(height), width: Int64(width), channels: Int64(channels),
            filters: Int64(filters), y: vertical.c, x: horizontal.c)
    }
}

/// How a convolution is computed.
public enum ConvolutionAlgorithm: Int32, CaseIterable, Sendable {
    /// Chosen by shape.
    case automatic = 0
    /// Winograd F(4×4, 3×3); 3×3 that keeps the size only.
    case winograd = 1
    /// Products over padded rows; stride 1 and dilation 1 only.
    case direct = 2
    /// Products over columns; any shape.
    case columns = 3

    /// Whether the algorithm can compute a shape.
    public func computes(_ shape: ConvolutionShape) -> Bool {
        switch self {
        case .automatic, .columns: true
        case .direct: shape.vertical.isUnspread && shape.horizontal.isUnspread
        case .winograd: shape.vertical == ConvolutionWindow() && shape.horizontal == ConvolutionWindow()
        }
    }

    func resolved(for shape: ConvolutionShape) -> ConvolutionAlgorithm {
        var c = shape.c
        let chosen = unsafe ConvolutionAlgorithm(rawValue: sg_conv_choose(&c, rawValue)) ?? .columns
        precondition(chosen.computes(shape), "\(chosen) cannot compute \(shape)")
        return chosen
    }
}

/// Filters in the layout of an algorithm, cached until the weights change.
final class PackedFilters: Sendable {
    private struct Key: Hashable {
        var algorithm: ConvolutionAlgorithm
        var channels, filters, kernelHeight, kernelWidth: Int
        /// The algorithms that use it.
        var table: Int32
    }
    private let kept = Mutex<[Key: FloatBuffer]>([:])
    /// Cached values derived from the weights, by the name of the computation.
    private let derived = Mutex<[String: FloatBuffer]>([:])

    func forget() {
        kept.withLock { $0 = [:] }
        derived.withLock { $0 = [:] }
    }

    func derived(_ name: String, make: () -> FloatBuffer) -> FloatBuffer {
        if let found = derived.withLock({ $0[name] }) { return found }
        let made = make()
        derived.withLock { $0[name] = made }
        return made
    }

    func filter(
        of weight: FloatBuffer, for shape: ConvolutionShape, _ algorithm: ConvolutionAlgorithm, keep: Bool
    ) -> FloatBuffer {
        guard keep else { return pack(weight, shape, algorithm, transposed: false) }
        let key = Key(
            algorithm: algorithm, channels: shape.channels, filters: shape.filters, kernelHeight: shape.vertical.kernel,
            kernelWidth: shape.horizontal.kernel, table: sg_table_number())
        if let found = kept.withLock({ $0[key] }) { return found }
        let made = pack(weight, shape, algorithm, transposed: false)
        kept.withLock { $0[key] = made }
        return made
    }
}

private func pack(
    _ weight: FloatBuffer, _ shape: ConvolutionShape, _ algorithm: ConvolutionAlgorithm, transposed: Bool
) -> FloatBuffer {
    var c = shape.c
    let packed = unsafe FloatBuffer(count: Int(sg_conv_packed_count(&c, algorithm.rawValue)))
    unsafe sg_conv_pack(&c, algorithm.rawValue, weight.base, transposed ? 1 : 0, packed.base)
    return packed
}

/// `out = scale · (x ∗ weight + bias + residual)`.
///
/// - Parameters:
///   - bias: `[F]`, or `[B, F]` for one per sample.
///   - residual: `[B, outH, outW, F]`.
///   - keepFilter: Whether the filter's packed form is cached with the weights, for sampling.
public func convolve(
    _ x: MapSource, _ weight: FloatBuffer, bias: FloatBuffer?, residual: FloatBuffer?, scale: Float,
    shape: ConvolutionShape, algorithm: ConvolutionAlgorithm = .automatic, keepFilter: Bool = false
) -> FloatBuffer {
    precondition(
        x.count == shape.inCount && x.channels == shape.channels,
        "convolve: x has \(x.count) elements, \(shape) wants \(shape.inCount)")
    precondition(weight.count == shape.weightCount, "convolve: weight has \(weight.count), wants \(shape.weightCount)")
    if let bias {
        precondition(
            bias.count == shape.filters || bias.count == shape.batch * shape.filters,
            "convolve: bias has \(bias.count) elements for \(shape.filters) filters")
    }
    precondition(residual.map { $0.count == shape.outCount } ?? true, "convolve: residual of another shape")
    WorkCounter.add(shape.flops)
    if let device = Device.current {
        let rows = bias.map { $0.count == shape.filters ? 1 : shape.batch } ?? 0
        return device.made("convolve", shape.outCount) { table in
            var c = shape.onDevice
            return unsafe x.withDevice(device) {
                unsafe table.convolve(
                    &c, $0, weight.on(device), bias?.on(device), Int64(rows), residual?.on(device), scale)
            }
        }
    }
    let algorithm = algorithm.resolved(for: shape)
    let packed = weight.packed.filter(of: weight, for: shape, algorithm, keep: keepFilter)
    let out = FloatBuffer(count: shape.outCount)
    var c = shape.c
    let stride = bias.map { $0.count == shape.filters ? 0 : shape.filters } ?? 0
    unsafe x.withC {
        unsafe sg_conv_forward(
            &c, algorithm.rawValue, $0, packed.base, bias?.base, Int64(stride), residual?.base, scale, out.base)
    }
    return out
}

/// The gradient of a convolution with respect to its input.
public func convolveInputGradient(
    _ dy: FloatBuffer, _ weight: FloatBuffer, shape: ConvolutionShape, algorithm: ConvolutionAlgorithm = .automatic
) -> FloatBuffer {
    precondition(dy.count == shape.outCount, "convolveInputGradient: dy has \(dy.count), wants \(shape.outCount)")
    precondition(weight.count == shape.weightCount, "convolveInputGradient: weight has \(weight.count)")
    WorkCounter.add(shape.flops)
    if let device = Device.current {
        return device.made("convolveInputGradient", shape.inCount) {
            var c = shape.onDevice
            return unsafe $0.convolve_dx(&c, dy.on(device), weight.on(device))
        }
    }
    let dx = FloatBuffer(count: shape.inCount)
    if shape.inputGradientIsConvolution {
        let transposed = shape.transposed
        let algorithm = algorithm.resolved(for: transposed)
        let packed = pack(weight, transposed, algorithm, transposed: true)
        var c = transposed.c
        unsafe MapSource(dy, channels: shape.filters).withC {
            unsafe sg_conv_forward(&c, algorithm.rawValue, $0, packed.base, nil, 0, nil, 1, dx.base)
        }
    } else {
        var c = shape.c
        unsafe sg_conv_input_gradient_im2col(&c, weight.base, dy.base, dx.base)
    }
    return dx
}

/// The gradient of a convolution with respect to its filter, `[F, C, kH, kW]`.
public func convolveWeightGradient(
    _ x: MapSource, _ dy: FloatBuffer, shape: ConvolutionShape, algorithm: ConvolutionAlgorithm = .automatic
) -> FloatBuffer {
    precondition(
        x.count == shape.inCount && x.channels == shape.channels,
        "convolveWeightGradient: x has \(x.count), wants \(shape.inCount)")
    precondition(dy.count == shape.outCount, "convolveWeightGradient: dy has \(dy.count), wants \(shape.outCount)")
    WorkCounter.add(shape.flops)
    if let device = Device.current {
        return device.made("convolveWeightGradient", shape.weightCount) { table in
            var c = shape.onDevice
            return unsafe x.withDevice(device) { unsafe table.convolve_dw(&c, $0, dy.on(device)) }
        }
    }
    let algorithm = algorithm.resolved(for: shape)
    let dw = FloatBuffer(count: shape.weightCount)
    var c = shape.c
    unsafe x.withC { unsafe sg_conv_weight_gradient(&c, algorithm.rawValue, $0, dy.base, dw.base) }
    return dw
}
