public import Kernels
public import Specs

extension PrecisionChoice {
    /// The precision in the engine's type.
    public var ofProducts: Precision {
        switch self {
        case .fp32: .fp32
        case .tf32: .tf32
        case .bf16: .bf16
        }
    }
}

extension ExperimentSpec {
    /// - Throws: `DeviceError` where the device in use, or the host, does not compute in the precisions of the spec.
    public func checkPrecision() throws(DeviceError) {
        try train.precision.ofProducts.check()
        try evaluate.precision.ofProducts.check()
    }
}
