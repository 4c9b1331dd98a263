import Foundation
public import Kernels
import Parallelism
import SystemCalls

/// What a piece of work took, over several repetitions after a warm-up.
public struct Benchmark: Sendable {
    /// What was done, such as `forward ncsnpp_v2 full`.
    public var work: String
    /// Threads of the engine on the CPU.
    public var threads: Int
    /// Wall clock and processor time of every repetition, in seconds.
    public var seconds: [Double]
    /// The time of all threads of the process, one value for each of `seconds`.
    public var processorSeconds: [Double]
    /// Billions of multiplications and additions of one repetition, counted by the defining sums.
    public var gflop: Double
    /// The most memory the process has held, in bytes, and the most of it in buffers of the engine.
    public var peakBytes: Int
    /// The most memory in buffers of the engine, in bytes; reset before the measurement.
    public var engineBytes: Int
    /// What computed.
    public var device = Device.current?.name ?? "cpu"
    /// The number format in which networks computed.
    public var precision = Precision.current
    /// Further figures of this work, in their order.
    public var details: [(name: String, value: Double)] = []

    /// The median of `seconds`.
    public var median: Double {
        let sorted = seconds.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : 0.5 * (sorted[middle - 1] + sorted[middle])
    }
    /// The shortest of `seconds`.
    public var least: Double { seconds.min() ?? 0 }
    /// Billions of operations per second at the median time; 0 where the time was too short to measure.
    public var gflops: Double { median > 0 ? gflop / median : 0 }

    /// How often work is done before it is measured: once, or until a device that records has recorded it.
    static var warmUps: Int { Device.current?.records == true ? 3 : 1 }

    /// Runs `body` to warm up, and then `repetitions` times.
    public static func measure(_ work: String, repetitions: Int, _ body: () throws -> Void) rethrows -> Benchmark {
        precondition(repetitions > 0, "\(repetitions) repetitions of a measurement")
        for _ in 0..<warmUps { try body() }
        Engine.resetPeakBytes()
        _ = Device.current?.memory(resettingPeak: true)
        var (seconds, processor): ([Double], [Double]) = ([], [])
        let (operations, before) = (WorkCounter.operations, Device.current?.counts)
        Device.current?.synchronize()
        for _ in 0..<repetitions {
            let (start, used) = (ContinuousClock.now, processorTime)
            try body()
            Device.current?.synchronize()
            seconds.append(start.secondsUntilNow)
            processor.append(processorTime - used)
        }
        var result = Benchmark(
            work: work, threads: Engine.threads, seconds: seconds, processorSeconds: processor,
            gflop: 1e-9 * Double(WorkCounter.operations - operations) / Double(repetitions),
            peakBytes: Self.residentPeak, engineBytes: Engine.peakBytes)
        if let device = Device.current, let before {
            result.details = deviceDetails(device, since: before, repetitions: repetitions)
        }
        return result
    }

    /// The device's operations and transfers in one of several repetitions, and the fallbacks to the host in all of
    /// them.
    private static func deviceDetails(_ device: Device, since before: Device.Counts, repetitions: Int) -> [(
        name: String, value: Double
    )] {
        let now = device.counts
        func each(_ part: KeyPath<Device.Counts, Int>) -> Double {
            Double(now[keyPath: part] - before[keyPath: part]) / Double(repetitions)
        }
        return [
            ("host_fallbacks", Double(now.hostFallbacks - before.hostFallbacks)),
            ("device_operations", each(\.operations)),
            ("device_replays", each(\.replays)), ("device_scalars", each(\.scalars)),
            ("device_uploads", each(\.uploads)),
            ("device_peak_bytes", Double(device.memory().peak)),
        ]
    }

    /// Processor time of all threads of this process, in seconds.
    private static var processorTime: Double { POSIX.usage.processorSeconds }

    /// The largest resident size so far, in bytes.
    private static var residentPeak: Int { POSIX.usage.peakBytes }
}
