import Foundation
import Kernels
import Tensors
import Testing

/// The device that tests compare the host with: LibTorch on the processor, where `scripts/torch-plugin` has built it.
enum Plugin {
    static let device = try? library.flatMap { try DeviceLibrary(at: $0).open("torch-cpu", threads: 2) }

    /// The library's file.
    static let library: String? = {
        let build = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent(".build/plugins").path
        let folders = [ProcessInfo.processInfo.environment["SGMSE_PLUGINS"], build].compactMap(\.self)
        return folders.map { $0 + "/" + DeviceLibrary.fileName }.first { FileManager.default.fileExists(atPath: $0) }
    }()

    static let missing: Comment =
        "no device to compare with: scripts/torch-plugin builds it for a Python that has torch"
}

/// All tests of a device, one after the other, because they count what the device was asked for.
@Suite(.serialized, .enabled(if: Plugin.device != nil, Plugin.missing))
enum DeviceSuite {}

/// Values that a computation gives on the host and on the device, each time from inputs made anew.
///
/// - Parameter floor: A share of the largest value of all results, to which smaller results are compared: the gradient
///   of a bias in front of a normalisation, or of a key, is nothing but rounding.
/// - Returns: The largest difference of each result, relative to the largest value of the host's.
func differences(floor: Double = 0, _ body: () -> [Tensor]) throws -> [Double] {
    let host = Device.with(nil) { body().map(\.values) }
    let device = try #require(Plugin.device)
    let found = Device.with(device) { body().map(\.values) }
    try #require(host.count == found.count)
    let overall = host.joined().reduce(0) { max($0, abs($1)) }
    return zip(host, found).map { host, found in
        guard host.count == found.count else { return .infinity }
        let most = host.reduce(0) { max($0, abs($1)) }
        let worst = zip(host, found).reduce(0) {
            max($0, $1.0 == $1.1 ? 0 : ($1.0 - $1.1).isNaN ? .infinity : abs($1.0 - $1.1))
        }
        return Double(worst) / Double(max(most, Float(floor) * overall, .leastNormalMagnitude))
    }
}

/// Expects that host and device agree to `tolerance`, and that the device leaves nothing to the host.
func expectAgreement(
    _ tolerance: Double = 3e-6, _ label: String = "", floor: Double = 0,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () -> [Tensor]
) throws {
    for (index, difference) in try differences(floor: floor, body).enumerated() {
        #expect(difference <= tolerance, "\(label) result \(index)", sourceLocation: sourceLocation)
    }
    let device = try #require(Plugin.device)
    let before = device.counts
    withExtendedLifetime(Device.with(device, body)) {}
    let counts = device.counts
    #expect(counts.hostFallbacks == before.hostFallbacks, "\(label) on the host", sourceLocation: sourceLocation)
    #expect(counts.operations > before.operations, "\(label) not on the device", sourceLocation: sourceLocation)
}

/// Random numbers, the same for the same name.
func noise(_ name: String, _ shape: [Int], scale: Double = 1) -> Tensor {
    let stream = RandomStream(seed: 7, purpose: "device tests/" + name)
    return Tensor(stream.normals(shape.reduce(1, *), standardDeviation: scale), shape: shape)
}

/// The result of an operation on leaves, and the gradients of its product with fixed noise.
func withGradients(_ leaves: [Tensor], _ body: ([Tensor]) -> Tensor) -> [Tensor] {
    let leaves = leaves.map { $0.tracked() }
    let result = body(leaves)
    let gradients = result.gradients(seed: noise("seed", result.shape))
    return [result.detached] + leaves.map { gradients[$0] ?? .zeros($0.shape) }
}
