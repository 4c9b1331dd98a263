public import Runs

extension Plot {
    /// The training of runs over their steps: the loss or one of its terms, or a validation metric.
    ///
    ///     ē_k = β ē_{k−1} + (1 − β) e_k,  divided by 1 − βᵏ        every recorded value behind it, pale
    ///
    /// - Parameters:
    ///   - quantity: `loss`, a term, `gradient_norm`, `learning_rate`, or a metric of validation.
    ///   - smoothing: β.
    ///   - set: The test set whose noisy input and Wiener filter are drawn as levels; the first that has the metric
    ///     where nil.
    public static func curves(
        of runs: [Run], in store: RunStore, quantity: String, smoothing: Double = 0.98, set: String? = nil
    ) throws -> Plot {
        var plot = Plot(x: Axis("training step"), y: Axis(quantity))
        var isValidation = false
        for (place, run) in runs.enumerated() {
            let label = runs.count { $0.name == run.name } > 1 ? "\(run.name) (\(run.shortID))" : run.name
            let steps = try store.steps(of: run.id).map { ($0.step, $0.value(of: quantity)) }.filter { $0.1.isFinite }
            if !steps.isEmpty {
                plot.series.append(Series(label, thinned(steps), form: .shadow, style: place))
                plot.series.append(Series(label, thinned(smoothed(steps, by: smoothing)), form: .line, style: place))
                continue
            }
            let validations = try store.validations(of: run.id).filter { $0.metric == quantity }.compactMap { one in
                one.value.map { (one.step, $0) }
            }
            guard !validations.isEmpty else { continue }
            isValidation = true
            plot.series.append(Series(label, thinned(validations), form: .markedLine, style: place))
        }
        guard !plot.series.isEmpty else {
            throw PlotError("no run has recorded '\(quantity)'", hint: try known(runs, store))
        }
        if isValidation {
            plot.y.label = "\(quantity), validation"
            if let data = try? PlotData(runs.map(\.id), in: store, .init(set: set, metric: quantity, steps: nil)) {
                plot.levels = data.levels.map { Level("\($0.label), \(data.set.name)", $0.value) }
                if !plot.levels.isEmpty {
                    plot.notes.append(
                        "levels are means over the set '\(data.set.name)', curves over the validation files")
                }
            }
        } else {
            let values = plot.series.flatMap { $0.points.map(\.y) }
            let (least, most) = (values.min() ?? 1, values.max() ?? 1)
            plot.y.isLogarithmic = least > 0 && most > 30 * least
            plot.notes.append("exponential moving average with β = \(smoothing); pale: every recorded step")
        }
        return plot
    }

    private static func known(_ runs: [Run], _ store: RunStore) throws -> String {
        var names: Set<String> = []
        for run in runs {
            names.formUnion(try store.validations(of: run.id).map(\.metric))
            if let step = try store.lastStep(of: run.id) {
                names.formUnion(["loss", "gradient_norm", "learning_rate"] + step.terms.keys)
            }
        }
        return names.isEmpty ? "these runs have no history" : "known: " + names.sorted().joined(separator: ", ")
    }

    private static func smoothed(_ values: [(Int, Double)], by beta: Double) -> [(Int, Double)] {
        var (sum, weight) = (0.0, 0.0)
        return values.map { step, value in
            sum = beta * sum + (1 - beta) * value
            weight = beta * weight + (1 - beta)
            return (step, sum / weight)
        }
    }

    /// At most some 600 points: of each stretch its least and its greatest, so that no peak is lost.
    private static func thinned(_ values: [(Int, Double)]) -> [Point] {
        let most = 300
        guard values.count > 2 * most else { return values.map { Point(Double($0.0), $0.1) } }
        let size = (values.count + most - 1) / most
        return stride(from: 0, to: values.count, by: size).flatMap { start -> [Point] in
            let part = values[start..<min(values.count, start + size)]
            guard let least = part.min(by: { $0.1 < $1.1 }), let greatest = part.max(by: { $0.1 < $1.1 }) else {
                return []
            }
            return [least, greatest].sorted { $0.0 < $1.0 }.map { Point(Double($0.0), $0.1) }
        }
    }
}

extension StepRecord {
    /// The recorded quantity of that name; NaN where there is none.
    fileprivate func value(of quantity: String) -> Double {
        switch quantity {
        case "loss": loss
        case "gradient_norm": gradientNorm
        case "learning_rate", "lr": learningRate
        default: terms[quantity] ?? .nan
        }
    }
}
