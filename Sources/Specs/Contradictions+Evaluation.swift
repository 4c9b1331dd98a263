import SpecLanguage

/// Training and evaluation: ends, seeds, samplers, checkpoints and test sets.
extension Contradictions {
    mutating func checkTraining() {
        let train = spec.train
        guard isGood("train") else { return }
        if train.maxSteps == nil, train.maxEpochs == nil, isGood("train.max_steps", "train.max_epochs") {
            report("no-end", at: ["train"], "training has no end", hint: "give max_steps or max_epochs")
        }
        if train.validationN != nil, !takesSteps(train.validationSampler), isGood("train.validation_N") {
            report(
                "steps", at: ["train.validation_N"],
                "sampler '\(train.validationSampler.name)' chooses its own steps: 'validation_N' does not apply")
        }
        checkSampler(train.validationSampler, path: "train.validation_sampler")
        if Set(train.seeds).count < train.seeds.count {
            report("repeated", at: ["train.seeds"], "a seed is given twice: the same run twice says nothing new")
        }
        checkSeeds()
        if let stop = train.earlyStopping, stop.monitor != .validationLoss, train.numEvalFiles == 0,
            isGood("train.num_eval_files")
        {
            report(
                "checkpoint", at: ["train.num_eval_files", "train.early_stopping"],
                "early stopping on '\(stop.monitor)' needs validation files", hint: "num_eval_files: 20")
        }
    }

    /// One number above 0 may be meant as the number of seeds.
    private mutating func checkSeeds() {
        guard let count = spec.train.seeds.first, spec.train.seeds.count == 1, count > 1, count <= 100,
            isGood("train.seeds"),
            let mark = origin("train.seeds")?.mark,
            mark.text.unicodeScalars.dropFirst(mark.column - 1).first.map({ ("0"..."9").contains($0) }) ?? false
        else { return }
        let list = (0..<min(count, 3)).map(String.init).joined(separator: ", ") + (count > 3 ? ", …, \(count - 1)" : "")
        report(
            "seeds", at: ["train.seeds"], severity: .warning, "'seeds: \(count)' is one run with the seed \(count)",
            hint: "did you mean \(count) runs, seeds: [\(list)]? write [\(count)] for one")
    }

    private func takesSteps(_ sampler: Choice) -> Bool { !traits(.sampler, sampler).contains(.choosesSteps) }

    private mutating func checkSampler(_ sampler: Choice, path: String) {
        let ofRegression = traits(.sampler, sampler).contains(.takesRegression)
        if ofRegression {
            guard spec.regression == nil, isGood("regression", path) else { return }
            report(
                "sde-sampler", at: [path],
                "sampler '\(sampler.name)' is the estimate of a regression, and there is none",
                hint: "regression: { backbone: ncsnpp_storm } puts one in front of the diffusion")
            return
        }
        for case .samplers(let names) in traits(.sde, spec.sde)
        where !names.contains(sampler.name) && isGood("sde", path) {
            report(
                "sde-sampler", at: [path, "sde"], "SDE '\(spec.sde.name)' has no sampler '\(sampler.name)'",
                hint: "it has: " + names.joined(separator: ", "))
        }
    }

    mutating func checkEvaluation() {
        let evaluate = spec.evaluate
        guard isGood("evaluate") else { return }
        if isGood("evaluate.sampler", "evaluate.N") {
            for sampler in Set(evaluate.samplers.map(\.name)).sorted() {
                checkSampler(Choice(sampler), path: "evaluate.sampler")
            }
            if isWritten("evaluate.N"), !evaluate.N.isEmpty, !evaluate.samplers.contains(where: takesSteps) {
                let name = evaluate.samplers.first?.name ?? ""
                report(
                    "steps", at: ["evaluate.N"], "sampler '\(name)' chooses its own steps: N does not apply",
                    hint: "leave N out")
            }
        }
        if spec.regression?.training == .alone, isGood("evaluate.sampler", "regression") {
            for sampler in Set(evaluate.samplers.map(\.name)).sorted()
            where !traits(.sampler, Choice(sampler)).contains(.takesRegression) {
                report(
                    "sde-sampler", at: ["evaluate.sampler", "regression.training"],
                    "training 'alone' leaves the diffusion untrained",
                    hint: "evaluate.sampler: regression")
            }
        }
        if evaluate.tEps < spec.train.tEps, isGood("evaluate.t_eps", "train.t_eps") {
            report(
                "t-eps", at: ["evaluate.t_eps", "train.t_eps"], severity: .warning,
                "evaluation begins at t = \(evaluate.tEps), training at \(spec.train.tEps)")
        }
        for (index, checkpoint) in evaluate.checkpoints.enumerated() where isGood("evaluate.checkpoint") {
            let path = "evaluate.checkpoint[\(index)]"
            if checkpoint.name.hasPrefix("best_"), spec.train.numEvalFiles == 0, spec.train.maxSteps != 0 {
                report(
                    "checkpoint", at: [path, "train.num_eval_files"],
                    "no '\(checkpoint.name)' is kept: num_eval_files is 0", hint: "checkpoint: last")
            }
            if let step = checkpoint.settings.optionalInteger("step"), let last = spec.train.maxSteps, step > last {
                report("checkpoint", at: [path + ".step"], "step \(step) is never reached: max_steps is \(last)")
            } else if let step = checkpoint.settings.optionalInteger("step"),
                step % spec.train.checkpointEvery != 0 || step == 0,
                isGood("train.checkpoint_every")
            {
                report(
                    "checkpoint", at: [path + ".step", path, "train.checkpoint_every"],
                    "the checkpoint of step \(step) is not kept",
                    hint:
                        """
                        train.checkpoint_every: \(max(1, step)) keeps every \(max(1, step))th, the last one is \
                        'checkpoint: last'
                        """
                )
            }
            let isAlone = spec.train.maxSteps == 0 && spec.train.initFrom == nil && evaluate.checkpoints.count == 1
            if checkpoint.checkpointForm == .file, !isAlone {
                report(
                    "checkpoint", at: [path, "train.max_steps"],
                    "a file is evaluated by a run of its own, which trains nothing",
                    hint:
                        """
                        max_steps: 0, without init_from, and this checkpoint alone; several files are a sweep over \
                        evaluate.checkpoint
                        """
                )
            }
        }
        checkSets()
        for name in ["sets", "N", "guidance", "weights", "noise_seed", "sampler", "checkpoint", "metrics"] {
            let values = spec.settings.section("evaluate").list(name)
            if values.count > 1, Set(values).count < values.count, isWhole("evaluate.\(name)") {
                report(
                    "repeated", at: ["evaluate.\(name)"], severity: .warning,
                    "'\(name)' has a value twice; it is used once")
            }
        }
    }

    private mutating func checkSets() {
        for (index, set) in spec.evaluate.sets.enumerated() where isGood("evaluate.sets", "data.corpus") {
            let path = "evaluate.sets[\(index)]"
            guard isWhole(path) else { continue }
            if set.path != nil, set.corpus != nil {
                report(
                    "sets", at: [path + ".path"], "both a corpus and a path name the audio of set '\(set.name)'",
                    hint: "keep one of them")
            }
            guard set.path == nil, let corpus = set.corpus ?? spec.data.corpus else { continue }
            let known = names(ofSetsIn: corpus)
            if !known.isEmpty, !known.contains(set.subset) {
                let error = SpecError.unknown("set", set.subset, known: known, at: root)
                report(
                    "sets", at: [path + ".subset", path + ".name", path, "evaluate.sets", "data.corpus"],
                    "corpus '\(corpus.name)' has no set '\(set.subset)'", hint: error.hint)
            }
        }
        let names = spec.evaluate.sets.map(\.name)
        if Set(names).count < names.count {
            report(
                "repeated", at: ["evaluate.sets"], "two test sets share a name",
                hint: "tables could not distinguish them")
        }
    }

    /// The sets of a corpus with its parameters; none where the registry does not say.
    func names(ofSetsIn corpus: Choice) -> [String] {
        traits(.corpus, corpus).flatMap { trait -> [String] in
            switch trait {
            case .sets(let names): names
            case .setSeries(let prefix, let levels):
                if case .list(let values)? = corpus.settings[levels] {
                    values.compactMap(\.number).map {
                        "\(prefix)-\(Int(exactly: $0).map(String.init) ?? $0.description)dB"
                    }
                } else {
                    []
                }
            default: []
            }
        }
    }
}
