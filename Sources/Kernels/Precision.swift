import CKernels
import Synchronization

/// The precision of the factors in matrix products and convolutions. Sums and all other operations stay in fp32.
public enum Precision: String, CaseIterable, Hashable, Sendable, Codable {
    case fp32
    /// Factors with 10 bits of mantissa, on cards that have TF32.
    case tf32
    /// Factors with 7 bits of mantissa, bfloat16.
    case bf16

    private static let chosen = Mutex(Precision.fp32)

    /// The precision in force.
    public static var current: Precision { chosen.withLock { $0 } }

    fileprivate var number: Int32 { self == .bf16 ? Int32(SG_BF16_PRODUCTS) : Int32(SG_FP32) }

    /// Sets the precision of products for all threads, on the device in use or else the host.
    ///
    /// The host's gradients of filters stay in fp32.
    ///
    /// - Throws: `DeviceError` where neither can.
    public func use() throws(DeviceError) {
        try check()
        Device.current?.compute(in: self)
        sg_set_process_precision(Device.current == nil ? number : Int32(SG_FP32))
        Self.chosen.withLock { $0 = self }
    }

    /// Runs `body` with products in this precision in all threads, and restores the previous precision afterwards.
    ///
    /// - Throws: `DeviceError` where the device in use, or else the host, cannot; what `body` throws.
    public func apply<Result>(_ body: () throws -> Result) throws -> Result {
        let before = Self.current
        try use()
        defer { try? before.use() }
        return try body()
    }

    /// Checks that the device in use, or else the host, can compute products in this precision.
    ///
    /// - Throws: `DeviceError` with the precisions that it has, where it cannot.
    public func check() throws(DeviceError) {
        guard self != .fp32 else { return }
        if let device = Device.current {
            guard device.computes(in: self) else {
                throw DeviceError(
                    "device \(device.name) computes no products in \(rawValue)", "it has \(device.precisions)")
            }
        } else if self == .tf32 {
            throw DeviceError("the processor computes no products in tf32", "give --device cuda, or fp32 or bf16")
        } else if sg_has_precision(number) == 0 {
            throw DeviceError(
                "bf16 needs a processor with AVX512-BF16, and this one computes with \(Engine.instructionSet)",
                "give fp32, a device (--device), or another machine")
        }
    }
}

extension Engine {
    /// Whether the host has products of bfloat16, with the instructions in force.
    public static var hasHalfProducts: Bool { sg_has_precision(Int32(SG_BF16_PRODUCTS)) != 0 }

    /// Runs `body` with the host's products on the calling thread in a precision.
    ///
    /// - Precondition: It is fp32, or the host has products of bfloat16.
    public static func with<Result>(_ precision: Precision, _ body: () throws -> Result) rethrows -> Result {
        precondition(precision == .fp32 || (precision == .bf16 && hasHalfProducts), "products in \(precision)")
        sg_set_precision(precision.number)
        defer { sg_set_precision(-1) }
        return try body()
    }
}
