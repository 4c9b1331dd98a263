import Audio
import Corpora

/// The audio of a spec as it was read, before the gates refuse anything.
struct ScannedAudio {
    /// Both `nil` where nothing is trained.
    var training: SetScan?
    var validation: SetScan?
    /// By the names that the spec gives them.
    var tests: [String: SetScan] = [:]
    var findings: [Finding] = []

    /// The fingerprint of what is learned from.
    ///
    /// - Throws: What keeps a file from being read; `CorpusError` for a set without pairs.
    func fingerprint() throws -> AudioFingerprint {
        AudioFingerprint(of: try [training, validation].compactMap { try $0?.fingerprintOrError() })
    }
}

extension SetScan {
    /// - Throws: What keeps a file from being read; `CorpusError` for a set without pairs.
    func test() throws -> PreparedData.TestData {
        PreparedData.TestData(
            set: set, fingerprint: try fingerprintOrError(),
            seconds: pairs.reduce(0) { $0 + ((try? $1.noisy.get().header.duration) ?? 0) })
    }

    fileprivate func fingerprintOrError() throws -> AudioFingerprint {
        for pair in pairs {
            _ = try pair.clean.get()
            _ = try pair.noisy.get()
        }
        guard !pairs.isEmpty, let fingerprint else { throw CorpusError(set.path, .emptySet(set.name)) }
        return fingerprint
    }
}
