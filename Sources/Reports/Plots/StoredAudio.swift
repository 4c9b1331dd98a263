import Audio
import Foundation
import Runs

/// The paths of the audio of a test file: clean, noisy, and enhanced by each system.
struct StoredAudio {
    let store: RunStore

    /// The clean or noisy file of a set, in whichever layout it has; nil where it is gone.
    func file(_ file: TestFile, of set: TestSet, isClean: Bool) -> String? {
        (isClean ? ["clean", "anechoic"] : ["noisy", "reverb"]).map { "\(set.folder)/\($0)/\(file.path)" }
            .first { FileManager.default.fileExists(atPath: $0) }
    }

    /// What an evaluation made of a file; nil where it was not kept.
    func output(_ file: TestFile, of evaluation: Evaluation, in set: TestSet) throws -> String? {
        if evaluation.anchor == "noisy" { return self.file(file, of: set, isClean: false) }
        if let external = evaluation.externalRecord { return externalOutput(file, external) }
        let result = try store.results(of: evaluation.id).first { $0.file == file.id }
        let path = result?.output.map { store.folder + "/" + $0 }
        return path.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
    }

    /// The output of another system lies in the folder that was imported.
    private func externalOutput(_ file: TestFile, _ external: ExternalRecord) -> String? {
        guard external.kind == .enhanced else { return nil }
        let stem = (file.path as NSString).deletingPathExtension
        return ["\(file.path)", "\(stem).wav", "\(stem).flac"].map { external.path + "/" + $0 }.first {
            FileManager.default.fileExists(atPath: $0)
        }
    }
}
