import SpecLanguage
import Specs

/// `python enhancement.py …`, or `python enhancement_noise_cond.py …` with conditioning, for the evaluations of a spec.
///
/// Source: enhancement.py of sp-uhh/sgmse, enhancement_noise_cond.py of moonx010/sgmse.
struct EnhanceCommand {
    private let spec: ExperimentSpec
    private let vocabulary: Vocabulary
    private let script: CommandOption.Script
    /// One for each evaluation that the script can do.
    private(set) var lines: [String] = []
    private(set) var remarks: [String] = []

    init(_ spec: ExperimentSpec, _ vocabulary: Vocabulary) {
        (self.spec, self.vocabulary) = (spec, vocabulary)
        script = spec.conditioning == nil ? .enhance : .enhanceConditioned
        for point in spec.evaluationPoints() {
            guard let words = words(point) else { continue }
            let line = words.map(CommandWords.quoted).joined(separator: " ")
            if !lines.contains(line) { lines.append(line) }
        }
        note(spec.evaluate.maxFiles, "evaluate.max_files", "the script takes the whole folder")
        note(spec.evaluate.segment, "evaluate.segment", "the script takes whole recordings")
        if spec.evaluate.noiseSeeds != [0] { note("evaluate.noise_seed has no option: the script does not seed") }
        if spec.evaluate.padding != scriptPadding {
            note("evaluate.padding \(spec.evaluate.padding) has no option: the script fills up by \(scriptPadding)")
        }
    }

    /// The name by which the reference's scripts know a sampler.
    static func name(ofSampler sampler: Choice) -> String? {
        switch sampler.name {
        case "pc", "ode": sampler.name
        case "sb_ode": "ode"
        case "sb_sde": "sde"
        default: nil
        }
    }

    /// Bridges take the number of steps from the checkpoint, where training's `--N` put it, and no other setting.
    private var isBridge: Bool { spec.sde.name == "sbve" }

    private var scriptPadding: EvaluateSpec.Padding {
        !script.isConditioned && ["ncsnpp_v2", "ncsnpp_48k"].contains(spec.backbone.name) ? .reflection : .zeroPad
    }

    // MARK: One evaluation

    private mutating func words(_ point: EvaluationPoint) -> [String]? {
        guard let sampler = Self.name(ofSampler: point.sampler) else {
            note("evaluate.sampler '\(point.sampler.name)' has no option")
            return nil
        }
        if isBridge, let N = point.N, N != spec.usualSteps(vocabulary) {
            note(
                """
                evaluate.N \(N) has no option: the script takes a bridge's steps from the checkpoint, \
                \(spec.usualSteps(vocabulary))
                """
            )
            return nil
        }
        // The script takes the folder of the noisy files.
        let folder = point.set.path.map { $0 + (point.set.format == .reverb ? "/reverb" : "/noisy") }
        var words = [
            "python", script.rawValue, "--test_dir", folder ?? "<\(point.set.name)>", "--enhanced_dir", "<enhanced>",
        ]
        words += ["--ckpt", point.checkpoint.settings.optionalText("path") ?? "<\(point.checkpoint.name)>"]
        words += ["--sampler_type", sampler]
        words += options(point)
        if let guidance = point.guidance { words += ["--cfg_scale", SettingValue.number(guidance).description] }
        if let reference = point.reference {
            guard let options = options(reference) else { return nil }
            words += options
        }
        if point.weights != .ema { note("evaluate.weights raw has no option: the script evaluates averaged weights") }
        return words
    }

    private mutating func options(_ point: EvaluationPoint) -> [String] {
        var words: [String] = []
        for (name, value) in point.sampler.settings where value != .none {
            if ["corrector", "corrector_steps", "snr"].contains(name) {
                words += ["--" + name, value.word]
            } else if !vocabulary.isUsual(value, .sampler, point.sampler.name, name) {
                note("evaluate.sampler.\(name) \(value.word) has no option")
            }
        }
        guard !isBridge else {
            if point.tEps != spec.train.tEps { note("evaluate.t_eps has no effect on the script's bridge samplers") }
            return words
        }
        if let N = point.N { words += ["--N", String(N)] }
        return words + ["--t_eps", SettingValue.number(point.tEps).description]
    }

    /// `nil` where the script has no such reference.
    private mutating func options(_ reference: NoiseReferenceSpec) -> [String]? {
        var words: [String]
        switch reference.mode {
        case .oracle: words = ["--oracle_noise", "--clean_dir", "<clean>"]
        case .file: words = ["--noise_ref", reference.path ?? ""]
        case .folder: words = ["--noise_ref_dir", reference.path ?? ""]
        case .zero: words = []
        case .estimated, .start, .mismatched, .random, .none:
            note("evaluate.reference '\(reference.mode)' has no option")
            return nil
        }
        if let frames = reference.numFrames {
            let seconds = Double((frames - 1) * spec.transform.hopLength) / Double(spec.data.sampleRate)
            words += ["--ref_duration", SettingValue.number(seconds).description]
        }
        return words
    }

    // MARK: Remarks

    private mutating func note(_ remark: String) {
        if !remarks.contains(remark) { remarks.append(remark) }
    }

    private mutating func note<Value>(_ value: Value?, _ path: String, _ instead: String) {
        if let value { note("\(path) \(value) has no option: \(instead)") }
    }
}

extension ExperimentSpec {
    /// The steps under which validation runs, and which a checkpoint of the reference holds.
    func usualSteps(_ vocabulary: Vocabulary) -> Int {
        train.validationN ?? vocabulary.usualSteps(sde)
    }
}

extension Vocabulary {
    /// The steps of an SDE where nobody says otherwise.
    func usualSteps(_ sde: Choice) -> Int {
        traits(.sde, sde).usualSteps
    }

    /// Whether a parameter of an entry has its default.
    func isUsual(_ value: SettingValue, _ kind: RegistryKind, _ entry: String, _ name: String) -> Bool {
        guard let field = self[kind, entry]?.parameters[name] else { return false }
        switch field.standard {
        case .value(.text(let usual)): return value.word == usual
        case .value(let usual): return value == usual
        case .absent: return value == .none
        default: return false
        }
    }
}

extension SettingValue {
    /// The value as a word of a command line.
    var word: String {
        switch self {
        case .text(let text): text
        case .choice(let choice): choice.name
        default: description
        }
    }
}
