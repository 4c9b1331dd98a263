public import SpecLanguage

/// One combination of evaluation factors: a checkpoint is enhanced and scored once for each.
public struct EvaluationPoint: Hashable, Sendable {
    /// The test set that is enhanced.
    public var set: TestSetSpec
    /// Which stored weights of the run: a form of ``CheckpointForm`` with its parameters.
    public var checkpoint: Choice
    /// Averaged or raw weights.
    public var weights: WeightChoice
    /// The sampler with all its parameters.
    public var sampler: Choice
    /// Steps; `nil` where the sampler chooses.
    public var N: Int?
    /// Guidance scale and reference; `nil` without conditioning.
    public var guidance: Double?
    /// Where the noise reference comes from; `nil` without conditioning.
    public var reference: NoiseReferenceSpec?
    /// Decides the sampler's random numbers, and the places of references.
    public var noiseSeed: Int
    /// `t_eps`, the least process time of the sampler, between 0 and 1.
    public var tEps: Double
    /// How spectrograms are padded to the multiple of frames that the backbone takes.
    public var padding: EvaluateSpec.Padding
    /// Seconds of a segment; `nil` for whole recordings.
    public var segment: Double?
    /// At most so many files of the set, from the start; `nil` for all.
    public var maxFiles: Int?
    /// Of the network's products; see ``EvaluateSpec/precision``.
    public var precision = PrecisionChoice.fp32

    /// Every factor as text, by name; what tables group by.
    public var factors: [(name: String, value: String)] {
        [
            ("set", set.name), ("checkpoint", SettingValue.choice(checkpoint).compact), ("weights", weights.rawValue),
            ("sampler", SettingValue.choice(sampler).compact), ("N", N.map(String.init) ?? "none"),
            ("guidance", guidance.map { SettingValue.number($0).compact } ?? "none"),
            ("reference", reference?.name() ?? "none"),
            ("noise_seed", String(noiseSeed)),
        ]
    }

    /// The canonical form of the point, without the run that is evaluated.
    public var identity: Identity { Identity(of: canonicalForm) }

    /// The identity of this point of one training.
    public func identity(of training: Identity) -> Identity { identity.joined(to: training) }

    /// A file counts by its content, which the run's fingerprint holds, not by where it lies.
    var canonicalForm: String {
        // The path of a set does not count; the fingerprint of its audio is added to this.
        var set = Settings([("subset", .text(self.set.subset))])
        if self.set.path != nil { set["format"] = self.set.format.written }
        if let corpus = self.set.corpus { set["corpus"] = .choice(corpus) }
        let reference = reference.map { reference in
            Settings([
                ("mode", .text(reference.label)), ("path", reference.path.map(SettingValue.text) ?? .none),
                ("num_frames", reference.numFrames.map(SettingValue.integer) ?? .none),
            ])
        }
        // Settings that were added later are in an identity only where they are given.
        let later = [
            segment.map { ("segment", SettingValue.number($0)) },
            precision == .fp32 ? nil : ("precision", precision.written),
        ]
        return CanonicalForm.spelled(
            Settings(
                later.compactMap(\.self) + [
                    ("set", .section(set)),
                    ("checkpoint", .choice(checkpoint.checkpointForm == .file ? Choice(checkpoint.name) : checkpoint)),
                    ("weights", weights.written),
                    ("sampler", .choice(sampler)), ("N", N.map(SettingValue.integer) ?? .none),
                    ("guidance", guidance.map(SettingValue.number) ?? .none),
                    ("reference", reference.map(SettingValue.section) ?? .none), ("noise_seed", .integer(noiseSeed)),
                    ("t_eps", .number(tEps)), ("padding", padding.written),
                    ("max_files", maxFiles.map(SettingValue.integer) ?? .none),
                ]))
    }
}

extension ExperimentSpec {
    /// Every combination of the evaluation factors, each once; N varies last but noise seeds.
    ///
    /// - Parameter takesSteps: Whether N applies to a sampler.
    public func evaluationPoints(takesSteps: (Choice) -> Bool = { _ in true }) -> [EvaluationPoint] {
        guard let set = evaluate.sets.first, let checkpoint = evaluate.checkpoints.first,
            let weights = evaluate.weights.first,
            let sampler = evaluate.samplers.first
        else { return [] }
        let first = EvaluationPoint(
            set: set, checkpoint: checkpoint, weights: weights, sampler: sampler, noiseSeed: 0, tEps: evaluate.tEps,
            padding: evaluate.padding, segment: evaluate.segment, maxFiles: evaluate.maxFiles,
            precision: evaluate.precision)
        let points = [first]
            .varied(\.set, evaluate.sets)
            .varied(\.checkpoint, evaluate.checkpoints)
            .varied(\.weights, evaluate.weights)
            .varied(\.sampler, evaluate.samplers)
            .varied(\.reference, evaluate.references.orNone)
            .varied(\.guidance, evaluate.guidance.orNone)
            .flatMap { [$0].varied(\.N, takesSteps($0.sampler) ? evaluate.N.orNone : [nil]) }
            .varied(\.noiseSeed, evaluate.noiseSeeds)
        var seen: Set<EvaluationPoint> = []
        return points.filter { seen.insert($0).inserted }
    }
}

extension [EvaluationPoint] {
    /// Each point once for each value of a factor.
    fileprivate func varied<Value>(_ factor: WritableKeyPath<EvaluationPoint, Value>, _ values: [Value])
        -> [EvaluationPoint]
    {
        flatMap { point in
            values.map { value in
                var point = point
                point[keyPath: factor] = value
                return point
            }
        }
    }
}

extension Array {
    /// The values, or a single `nil` where there is none.
    fileprivate var orNone: [Element?] { isEmpty ? [nil] : map(Optional.some) }
}

extension SettingValue {
    /// The value in a name: short, and safe in a path.
    public var compact: String {
        let text: String
        switch self {
        case .number(let value): text = Int(exactly: value).map(String.init) ?? value.description
        case .list(let values): text = values.map(\.compact).joined(separator: "-")
        case .choice(let choice):
            let parameters = choice.settings.map { "\($0.name)=\($0.value.compact)" }
            text = choice.name + (parameters.isEmpty ? "" : "(" + parameters.joined(separator: ";") + ")")
        case .section(let settings): text = settings.map { "\($0.name)=\($0.value.compact)" }.joined(separator: ";")
        case .text(let value): text = value
        default: text = description
        }
        func isSafe(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "._-+^=();".utf8.contains(byte)
            }
        }
        return text.utf8.allSatisfy(isSafe)
            ? text : String(decoding: text.utf8.map { isSafe($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
    }
}
