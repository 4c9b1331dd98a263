import Foundation
public import Objectives
import Specs
import SystemCalls

extension ReferenceChooser {
    /// The chooser that the words of a command line ask for, and what is to be said about its length.
    ///
    /// - Parameters:
    ///   - word: A mode, with its form behind a slash as in `estimated/quietest`, or a file or folder of noise.
    ///   - duration: Length of the reference in seconds; that of training if `nil`.
    ///   - trainedFrames: Frames of a reference in training.
    ///   - stft: Of the model; a reference it cannot transform is none.
    /// - Returns: The chooser, and a note where its length is not the training's.
    /// - Throws: `ReferenceError` for a word that is neither a mode nor a path, or a length that is none.
    public static func named(
        _ word: String, duration: Double? = nil, trainedFrames: Int, stft: ShortTimeFourier, sampleRate: Int,
        seed: UInt64 = 0
    ) throws(ReferenceError) -> (chooser: ReferenceChooser, note: String?) {
        let trained = (trainedFrames - 1) * stft.hop
        let count = duration.map { Int(($0 * Double(sampleRate)).rounded()) } ?? trained
        guard count >= stft.shortestSignal else {
            throw ReferenceError(
                mode: word,
                reason: String(
                    format: "%.3f s are shorter than half a window of the STFT; %.3f s or more",
                    Double(count) / Double(sampleRate),
                    Double(stft.shortestSignal) / Double(sampleRate)))
        }
        let note =
            count == trained
            ? nil
            : String(
                format: "references of %.3f s, training had %.3f s", Double(count) / Double(sampleRate),
                Double(trained) / Double(sampleRate))
        return (ReferenceChooser(try reference(word), count: count, sampleRate: sampleRate, seed: seed), note)
    }

    private static func reference(_ word: String) throws(ReferenceError) -> NoiseReferenceSpec {
        let parts = word.split(separator: "/", maxSplits: 1).map(String.init)
        if let mode = parts.first.flatMap(NoiseReferenceSpec.Mode.init), !mode.takesPath {
            guard parts.count > 1 else { return .init(mode: mode) }
            if let by = mode.selections.first(where: { $0.rawValue == parts[1] }) { return .init(mode: mode, by: by) }
        }
        if let facts = FileFacts(at: word) {
            return .init(mode: facts.kind == .folder ? .folder : .file, path: word)
        }
        let modes = NoiseReferenceSpec.Mode.allCases.filter { !$0.takesPath }.map(\.rawValue)
        throw ReferenceError(
            mode: word, reason: "is neither a mode nor a file or folder; modes: \(modes.joined(separator: ", "))")
    }
}
