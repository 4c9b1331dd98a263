import Audio
import Foundation
import Models
import SystemCalls

/// Writes the states on the way of one file, stretch by stretch, as floats at the model's rate: they may lie beyond
/// full scale.
final class StateWriter {
    private let folder: String
    /// `-channel2`; empty for a file of one channel.
    private let label: String
    private let rate: Int
    private let unfinished: UnfinishedFiles
    private var writers: [SoundFileWriter] = []

    init(_ folder: String, channel: Int, of channels: Int, rate: Int, unfinished: UnfinishedFiles) {
        (self.folder, self.rate, self.unfinished) = (folder, rate, unfinished)
        label = channels > 1 ? "-channel\(channel + 1)" : ""
    }

    /// - Parameter count: Samples of the whole recording.
    func append(_ states: [Enhancer.State], of count: Int) throws {
        if writers.isEmpty, !states.isEmpty {
            if label.isEmpty || label == "-channel1" { try Self.removeStates(in: folder) }
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            writers = try states.enumerated().map { index, state in
                let name = String(format: "%d-t%.3f%@.wav", index + 1, state.time, label)
                let writer = try SoundFileWriter(
                    to: folder + "/" + name, sampleRate: rate, channels: 1, frames: count, as: .float32)
                unfinished.add(writer.temporaryPath)
                return writer
            }
        }
        for (writer, state) in zip(writers, states) { try writer.append([state.audio]) }
    }

    func finish() throws {
        for writer in writers {
            try writer.finish()
            unfinished.remove(writer.temporaryPath)
        }
    }

    /// Removes the states of an earlier call, which another sampler may have written at other times.
    private static func removeStates(in folder: String) throws {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where name.wholeMatch(of: #/[0-9]+-t[0-9]+\.[0-9]{3}(-channel[0-9]+)?\.wav/#) != nil {
            let path = folder + "/" + name
            guard let facts = FileFacts(at: path), facts.kind != .folder else {
                continue
            }
            try FileManager.default.removeItem(atPath: path)
        }
    }
}
