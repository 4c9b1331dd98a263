import CDevice

/// Operations on tensors that stay where they are, launched again at once: a CUDA graph.
///
/// `@unchecked Sendable`: the recording is constant. One thread at a time may replay it, because its tensors are
/// shared.
@safe
package final class DeviceRecording: @unchecked Sendable {
    private let device: Device
    private let recording: OpaquePointer

    /// Records what `body` asks of a device, without computing it; `nil` where the device cannot record that.
    ///
    /// - Parameters:
    ///   - other: A recording whose memory this one may use too: its results are to be read before this one is
    ///     replayed.
    ///   - body: Its results hold nothing until the first replay, and nothing at all after a failure. It must neither
    ///     read a number of the device nor bring one there.
    package init?(on device: Device, beside other: DeviceRecording?, _ body: () -> Void) {
        guard device.records else { return nil }
        let code = withExtendedLifetime(other) { unsafe device.table.record_begin(other?.recording) }
        guard code == 0 else { return nil }
        body()
        guard let recording = unsafe device.table.record_end() else { return nil }
        self.device = device
        unsafe self.recording = recording
    }

    deinit { unsafe device.table.forget(recording) }

    /// Computes the recorded operations from what their tensors now hold.
    package func replay() { unsafe device.replay(recording) }
}

extension Device {
    /// Whether the device can record.
    package var records: Bool { table.records() != 0 }
}

extension FloatBuffer {
    /// Copies of several buffers of a device.
    package static func copies(of buffers: [FloatBuffer], on device: Device) -> [FloatBuffer] {
        let handles = unsafe buffers.map { unsafe Optional($0.on(device)) }
        return device.made("copies", buffers.map(\.count)) { unsafe $0.copies(handles, Int64(handles.count), $1) }
    }
}
