import Corpora
import SpecLanguage
import Specs

/// What an evaluation is known by: whose output, and on which audio.
///
/// Equal keys, one evaluation: the scores of the one are those of the other.
enum EvaluationKey: Hashable, Sendable {
    /// - Parameters:
    ///   - point: The identity of the evaluation's point in its training's.
    ///   - training: The fingerprint of what the training reads.
    ///   - audio: The fingerprint of the test set.
    ///   - reference: The content of the recordings that it takes noise references from, if it names any.
    case model(point: Identity, training: AudioFingerprint?, audio: AudioFingerprint, reference: AudioFingerprint?)
    case anchor(Choice, sampleRate: Int, audio: AudioFingerprint)

    /// The key as stores have it.
    var stored: String {
        switch self {
        case .model(_, _, let audio, let reference): stem + "\(audio)" + (reference.map { "|\($0)" } ?? "")
        case .anchor(_, _, let audio): stem + "\(audio)"
        }
    }

    /// What the stored keys of the same subject begin with, whatever audio it is evaluated on.
    var stem: String {
        switch self {
        case .model(let point, let training, _, _): "\(point.hex)|\(training?.description ?? "")|"
        case .anchor(let choice, let rate, _): "anchor|\(SettingValue.choice(choice).compact)|\(rate)|"
        }
    }

    /// How stores have the key in which earlier versions named some of the audio.
    var earlier: [String] {
        func names(_ audio: AudioFingerprint?) -> [String] { audio.map { ["\($0)", "\($0.earlier)"] } ?? [""] }
        switch self {
        case .model(let point, let training, let audio, let reference):
            let all = names(training).flatMap { training in
                names(audio).flatMap { audio in
                    names(reference).map { "\(point.hex)|\(training)|\(audio)" + ($0.isEmpty ? "" : "|\($0)") }
                }
            }
            return Array(all.dropFirst())
        case .anchor(_, _, let audio): return [stem + "\(audio.earlier)"]
        }
    }
}
