import Runs

extension [ValidationRecord] {
    /// Why a checkpoint should not have been chosen: at its step, the model validated below the noisy input.
    ///
    /// The noisy input's own score is recorded with the validations, as `noisy_pesq` for `pesq`.
    func warning(on kind: CheckpointRecord.Kind, at step: Int) -> String? {
        let metrics = kind == .bestSISDR ? ["si_sdr"] : kind == .bestPESQ ? ["pesq"] : ["pesq", "si_sdr"]
        let below = metrics.compactMap { metric -> String? in
            guard let mine = first(where: { $0.metric == metric && $0.step == step })?.value,
                let noisy = last(where: { $0.metric == "noisy_" + metric })?.value, mine < noisy
            else { return nil }
            return "\(metric) \(mine.fixed(2)) against \(noisy.fixed(2))"
        }
        guard !below.isEmpty else { return nil }
        return
            "the checkpoint \(kind.rawValue)@\(step) validates below the noisy input (\(below.joined(separator: ", ")))"
    }
}
