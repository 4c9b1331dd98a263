import SpecLanguage

/// Checks of conditioning, guidance and references: what the network accepts, and what it was not trained with.
extension Contradictions {
    mutating func checkConditioning() {
        guard isGood("backbone", "conditioning") else { return }
        let isKnown = vocabulary[.backbone, spec.backbone.name] != nil
        let takes = traits(.backbone, spec.backbone).contains(.takesCondition)
        var others: String { names(.backbone, with: .takesCondition) }
        if let conditioning = spec.conditioning {
            if isKnown, !takes {
                let wrote = ["conditioning.cond_drop_prob"].first { isWritten($0) ? $0 : nil }
                report(
                    "conditioning", at: [wrote ?? "conditioning", "backbone"],
                    wrote.map {
                        """
                        '\($0.split(separator: ".")[1])' without conditioning: backbone '\(spec.backbone.name)' takes \
                        none
                        """
                    }
                        ?? "backbone '\(spec.backbone.name)' takes no conditioning",
                    hint: others.isEmpty ? "conditioning: none" : "backbones that take it: \(others)")
            }
            if let seconds = spec.settings.value(at: "conditioning.ref_length_sec")?.number,
                isGood("conditioning.ref_num_frames")
            {
                let frames = ConditioningSpec.frames(
                    seconds: seconds, sampleRate: spec.data.sampleRate, hopLength: spec.transform.hopLength)
                if frames != conditioning.refNumFrames {
                    report(
                        "reference", at: ["conditioning.ref_length_sec"],
                        """
                        ref_length_sec \(SettingValue.number(seconds)) is \(frames) frames, ref_num_frames says \
                        \(conditioning.refNumFrames)
                        """,
                        hint: "keep one of them")
                }
            }
            let scales = spec.evaluate.guidance.filter { $0 != 1 }
            if !scales.isEmpty, conditioning.condDropProb == 0,
                isGood("conditioning.cond_drop_prob", "evaluate.guidance")
            {
                report(
                    "guidance", at: ["evaluate.guidance", "conditioning.cond_drop_prob"], severity: .warning,
                    "guidance \(SettingValue.number(scales[0])) asks a network that never trained without a reference",
                    hint: "cond_drop_prob is 0")
            }
            if conditioning.refFrom == .segment, conditioning.refNumFrames > spec.data.numFrames,
                isGood("conditioning.ref_num_frames", "data.num_frames")
            {
                report(
                    "reference", at: ["conditioning.ref_num_frames", "data.num_frames"], severity: .warning,
                    """
                    a reference of \(conditioning.refNumFrames) frames is longer than the crop of \
                    \(spec.data.numFrames) it is cut from
                    """,
                    hint: "it is padded with zeros; ref_from: elsewhere takes it from the whole file")
            }
            checkReferences(conditioning)
        } else {
            if isKnown, takes {
                report(
                    "conditioning", at: ["backbone"], "backbone '\(spec.backbone.name)' needs conditioning",
                    hint: "conditioning: { noise_encoder_type: default }")
            }
            if !spec.evaluate.guidance.isEmpty, isGood("evaluate.guidance") {
                report("guidance", at: ["evaluate.guidance"], "guidance without conditioning has nothing to guide")
            }
            if spec.evaluate.references.contains(where: { $0.mode != .none }) {
                report("reference", at: ["evaluate.reference"], "a reference without conditioning is not used")
            }
        }
    }

    /// Warns of references that differ from those of training.
    private mutating func checkReferences(_ conditioning: ConditioningSpec) {
        guard isGood("evaluate.reference") else { return }
        let hop = max(1, spec.transform.hopLength)
        let least = (spec.transform.nFFT / 2 + hop) / hop + 1
        if conditioning.refNumFrames < least, isGood("conditioning.ref_num_frames", "transform") {
            report(
                "reference", at: ["conditioning.ref_num_frames"],
                "a reference of \(conditioning.refNumFrames) frames is shorter than half a window of the STFT",
                hint: "\(least) frames or more")
        }
        for frames in spec.evaluate.references.compactMap(\.numFrames)
        where frames < least && frames != conditioning.refNumFrames {
            report(
                "reference", at: ["evaluate.reference"],
                "a reference of \(frames) frames is shorter than half a window of the STFT",
                hint: "\(least) frames or more")
        }
        for reference in spec.evaluate.references {
            if let frames = reference.numFrames, frames != conditioning.refNumFrames,
                isGood("conditioning.ref_num_frames")
            {
                report(
                    "reference", at: ["evaluate.reference"], severity: .warning,
                    "reference '\(reference.label)' has \(frames) frames, training had \(conditioning.refNumFrames)")
            }
            if reference.mode == .none {
                report(
                    "reference", at: ["evaluate.reference"], severity: .warning,
                    "reference 'none' leaves the conditioning out, which no network is trained for",
                    hint: "'zero' is what training's dropout uses")
            } else if reference.mode == .zero, conditioning.condDropProb == 0 {
                report(
                    "reference", at: ["evaluate.reference", "conditioning.cond_drop_prob"], severity: .warning,
                    "reference 'zero' asks a network that never trained without a reference",
                    hint: "cond_drop_prob is 0")
            }
        }
    }
}
