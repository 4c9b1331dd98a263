import Foundation
public import Runs
import Statistics

extension Plot {
    /// What a metric is drawn over.
    public enum Factor: String, Sendable, CaseIterable {
        /// The checkpoint's step.
        case step
        case N
        /// Evaluations of networks for a file; the middle where files differ.
        case nfe
        case guidance
        /// The noisy input's SNR, in dB.
        case snr
    }

    /// A metric over a factor of evaluation: a point for each evaluation, a line for each run.
    public static func metric(
        _ metric: String, over factor: Factor, of runs: [Run.ID], in store: RunStore, set: String? = nil,
        steps: Int? = nil
    ) throws -> Plot {
        let data = try PlotData(
            runs, in: store, .init(set: set, metric: metric, steps: [.N, .nfe].contains(factor) ? nil : steps))
        var plot = Plot(x: Axis(factor.label), y: Axis("\(data.label), \(data.set.name)"))
        if factor == .snr {
            plot.series = data.measured.filter {
                $0.run != nil || ["noisy", "wiener"].contains($0.evaluation.anchor) || $0.evaluation.external != nil
            }
            .enumerated().map { place, one in
                Series(label(of: one, in: data), bySNR(one, data), form: .markedLine, style: place)
            }
            guard plot.series.contains(where: { !$0.points.isEmpty }) else {
                throw PlotError(
                    "the SNR of the files of '\(data.set.name)' is not known",
                    hint: "a manifest.csv (file, noise, snr_db) beside the set says it")
            }
        } else {
            let groups = Dictionary(grouping: data.ofRuns) { one in label(of: one, in: data, except: factor) }
            plot.series = groups.keys.sorted().enumerated().map { place, name in
                Series(
                    name,
                    (groups[name] ?? []).compactMap { one in factor.value(of: one).map { at($0, one) } }.sorted {
                        $0.x < $1.x
                    }, form: .markedLine, style: place)
            }
            plot.levels = data.levels
            guard plot.series.contains(where: { !$0.points.isEmpty }) else {
                throw PlotError(
                    "no evaluation has a value of '\(factor.rawValue)'",
                    hint: "choose another: " + Factor.allCases.map(\.rawValue).joined(separator: ", "))
            }
        }
        plot.notes = [
            "means over files"
                + (plot.series.contains { $0.points.contains { $0.interval != nil } }
                    ? " with 95 % bootstrap intervals" : "")
        ]
        return plot
    }

    private static func at(_ x: Double, _ one: PlotData.Measured) -> Point {
        let (mean, interval) = one.point
        return Point(x, mean, interval: interval)
    }

    private static func bySNR(_ one: PlotData.Measured, _ data: PlotData) -> [Point] {
        let known = zip(one.series.files, one.series.values).compactMap { file, value in
            data.files[file]?.snr.map { ($0, value) }
        }
        // SNRs that were drawn from a range hardly repeat: steps of 5 dB.
        let isDrawn = Set(known.map(\.0)).count > 12
        let groups = Dictionary(grouping: known) { isDrawn ? 5 * ($0.0 / 5).rounded() : $0.0 }
        return groups.map { snr, members in
            let (mean, interval) = PlotData.mean(of: members.map(\.1))
            return Point(snr, mean, interval: interval)
        }.sorted { $0.x < $1.x }
    }

    /// The run's name, with what distinguishes its evaluations besides `factor`.
    private static func label(of one: PlotData.Measured, in data: PlotData, except factor: Factor? = nil) -> String {
        let siblings = data.measured.filter {
            $0.run?.id == one.run?.id && $0.evaluation.anchor == one.evaluation.anchor
        }
        var parts: [String] = []
        func add(_ name: String, _ isSkipped: Bool, _ value: (Evaluation) -> String?) {
            guard !isSkipped, Set(siblings.map { value($0.evaluation) }).count > 1 else { return }
            parts.append("\(name)=\(value(one.evaluation) ?? "none")")
        }
        add("N", [.N, .nfe].contains(factor)) { $0.point.steps.map(String.init) }
        add("guidance", factor == .guidance) { $0.point.guidance.map { "\($0)" } }
        add("reference", false) { $0.point.reference }
        add("checkpoint", factor == .step) { $0.checkpoint.map { "\($0.kind.rawValue)@\($0.step)" } }
        add("sampler", false) { $0.point.sampler }
        add("corrector", false) { $0.point.corrector }
        add("weights", false) { $0.point.weights }
        add("seed of noise", false) { $0.point.noiseSeed.map { "\($0)" } }
        add("", false) { $0.point.other }
        let isNamesake = Set(data.ofRuns.filter { $0.run?.name == one.run?.name }.compactMap { $0.run?.id }).count > 1
        let name = one.system + (isNamesake ? " (\(one.run?.shortID ?? ""))" : "")
        return name + (parts.isEmpty ? "" : " [\(parts.joined(separator: ", "))]")
    }

    // MARK: Sweeps

    /// A metric over a setting in which runs differ: a point for each value, over its seeds.
    ///
    /// A point that lies far below both of its neighbours is drawn hollow, with a question mark: a collapsed run looks
    /// like that, and so does no effect of a setting.
    public static func sweep(
        _ metric: String, over path: String, of runs: [Run.ID], in store: RunStore, set: String? = nil,
        steps: Int? = nil
    ) throws -> Plot {
        let data = try PlotData(runs, in: store, .init(set: set, metric: metric, steps: steps))
        var values: [Run.ID: String] = [:]
        for run in Set(data.ofRuns.compactMap { $0.run?.id }) { values[run] = try store.setting(path, of: run) }
        let valued = data.ofRuns.filter { $0.run.flatMap { values[$0.id] } != nil }
        guard !valued.isEmpty else {
            throw PlotError("no run has a setting '\(path)'", hint: "sgmse show RUN --resolved lists the settings")
        }
        let texts = Set(valued.compactMap { $0.run.flatMap { values[$0.id] } })
        let isNumeric = texts.allSatisfy { Double($0) != nil }
        let categories = isNumeric ? [] : texts.sorted()
        func place(_ one: PlotData.Measured) -> Double {
            let text = one.run.flatMap { values[$0.id] } ?? ""
            return isNumeric ? Double(text) ?? .nan : Double(categories.firstIndex(of: text) ?? 0)
        }
        var plot = Plot(x: Axis(path, categories: categories), y: Axis("\(data.label), \(data.set.name)"))
        let groups = Dictionary(grouping: valued) { seriesLabel(of: $0, in: valued) }
        plot.series = groups.keys.sorted().enumerated().map { number, name in
            let points = Dictionary(grouping: groups[name] ?? [], by: place).map { x, members in merged(members, at: x)
            }.sorted { $0.x < $1.x }
            return Series(
                name, marked(points, higherIsBetter: data.metric.higherIsBetter), form: .markedLine, style: number)
        }
        plot.levels = data.levels
        plot.notes = notes(valued, plot.series)
        return plot
    }

    private static func notes(_ valued: [PlotData.Measured], _ series: [Series]) -> [String] {
        let seeds = Set(valued.compactMap { $0.run?.key.seed }).count
        var notes = [
            seeds > 1
                ? "means over seeds and files; bars from the lowest to the highest seed"
                : "means over files with 95 % bootstrap intervals"
        ]
        if seeds < 3 {
            notes.append("\(seeds == 1 ? "one seed" : "two seeds"): which value is best, these points cannot say")
        }
        if series.contains(where: { $0.points.contains(where: \.isSuspect) }) {
            notes.append("? far from both neighbours: perhaps a collapsed run, and no effect of the setting")
        }
        return notes
    }

    private static func seriesLabel(of one: PlotData.Measured, in all: [PlotData.Measured]) -> String {
        var parts: [String] = []
        if Set(all.map(\.evaluation.point.steps)).count > 1 {
            parts.append("N = \(one.evaluation.point.steps.map(String.init) ?? "none")")
        }
        if Set(all.map(\.evaluation.point.guidance)).count > 1 {
            parts.append("w = \(one.evaluation.point.guidance.map { "\($0)" } ?? "none")")
        }
        if Set(all.map(\.evaluation.point.reference)).count > 1 {
            parts.append(one.evaluation.point.reference ?? "no reference")
        }
        return parts.joined(separator: ", ")
    }

    private static func merged(_ members: [PlotData.Measured], at x: Double) -> Point {
        let means = members.map(\.point)
        guard members.count > 1 else { return Point(x, means[0].mean, interval: means[0].interval) }
        let values = means.map(\.mean).filter(\.isFinite)
        guard let least = values.min(), let greatest = values.max() else { return Point(x, .nan) }
        return Point(x, values.reduce(0, +) / Double(values.count), interval: least...greatest)
    }

    /// A point is suspect that is worse than both neighbours by more than the whole range of the others.
    static func marked(_ points: [Point], higherIsBetter: Bool) -> [Point] {
        points.indices.map { place in
            guard place > 0, place < points.count - 1 else { return points[place] }
            let sign = higherIsBetter ? 1.0 : -1
            let gap = min(
                sign * (points[place - 1].y - points[place].y), sign * (points[place + 1].y - points[place].y))
            let others = points.indices.filter { $0 != place }.map { points[$0].y }.filter(\.isFinite)
            let typical = others.sorted()[others.count / 2]
            let deviations = others.map { abs($0 - typical) }.sorted()
            var point = points[place]
            point.isSuspect = gap > 0 && gap > 2 * deviations[deviations.count / 2] && gap > 0.1 * abs(typical)
            return point
        }
    }

    // MARK: Files

    /// One system's scores against another's, file by file.
    public static func pairs(
        _ metric: String, of first: Run, against second: Run?, anchor: String, in store: RunStore, set: String? = nil,
        steps: Int? = nil
    ) throws -> Plot {
        let data = try PlotData(
            [first.id] + (second.map { [$0.id] } ?? []), in: store, .init(set: set, metric: metric, steps: steps))
        func scores(_ run: Run?) throws -> PlotData.Measured {
            let found = data.measured.last { run == nil ? $0.evaluation.anchor == anchor : $0.run?.id == run?.id }
            guard let found else {
                throw PlotError(
                    "'\(run?.name ?? anchor)' has no score of '\(metric)' on '\(data.set.name)'",
                    hint: "sgmse compare shows what was scored")
            }
            return found
        }
        let (mine, other) = (try scores(first), try scores(second))
        var plot = Plot(
            x: Axis("\(data.label), \(label(of: other, in: data))"),
            y: Axis("\(data.label), \(label(of: mine, in: data))"))
        let values = Dictionary(zip(other.series.files, other.series.values)) { first, _ in first }
        let pairs = zip(mine.series.files, mine.series.values).compactMap { file, value in
            values[file].flatMap { $0.isFinite && value.isFinite ? (file: file, x: $0, y: value) : nil }
        }
        let noises = Set(pairs.compactMap { data.files[$0.file]?.noise }).sorted()
        let groups = noises.isEmpty || noises.count > 7 ? [nil] : noises.map(Optional.some)
        plot.series = groups.enumerated().map { place, noise in
            let members = pairs.filter { noise == nil || data.files[$0.file]?.noise == noise }
            return Series(noise ?? "files", members.map { Point($0.x, $0.y) }, form: .marks, style: place)
        }
        plot.hasDiagonal = true
        let above = pairs.count { $0.y > $0.x }
        plot.notes = ["\(pairs.count) files of '\(data.set.name)', \(above) above the diagonal"]
        return plot
    }

    /// Means over the files of each noise, SNR or speaker.
    public static func groups(
        _ metric: String, by label: String, of runs: [Run.ID], in store: RunStore, set: String? = nil, steps: Int? = nil
    ) throws -> Plot {
        let data = try PlotData(runs, in: store, .init(set: set, metric: metric, steps: steps))
        func group(_ file: TestFile.ID) -> String? {
            let file = data.files[file]
            switch label {
            case "speaker": return file?.speaker
            case "snr": return file?.snr.map { String(format: "%g dB", $0) }
            default: return file?.noise
            }
        }
        func rank(_ name: String) -> Double { label == "snr" ? Double(name.dropLast(3)) ?? 0 : 0 }
        let categories = Set(data.files.keys.compactMap(group)).sorted { (rank($0), $0) < (rank($1), $1) }
        guard !categories.isEmpty, categories.count <= 40 else {
            throw PlotError(
                categories.isEmpty
                    ? "the \(label) of the files of '\(data.set.name)' is not known"
                    : "\(categories.count) values of \(label) are too many for bars",
                hint: "a manifest.csv (file, noise, snr_db) beside the set says noise and SNR")
        }
        var plot = Plot(x: Axis(label, categories: categories), y: Axis("\(data.label), \(data.set.name)"))
        plot.series = data.measured.enumerated().map { place, one in
            let groups = Dictionary(grouping: zip(one.series.files, one.series.values)) { group($0.0) ?? "" }
            let points = categories.enumerated().compactMap { number, name -> Point? in
                guard let members = groups[name] else { return nil }
                let (mean, interval) = PlotData.mean(of: members.map(\.1))
                return Point(Double(number), mean, interval: interval)
            }
            return Series(Self.label(of: one, in: data), points, form: .bars, style: place)
        }
        plot.notes = ["means over the files of each \(label), with 95 % bootstrap intervals from six files on"]
        return plot
    }
}

extension Plot.Factor {
    fileprivate var label: String {
        switch self {
        case .step: "training step of the checkpoint"
        case .N: "reverse steps N"
        case .nfe: "evaluations of networks for a file"
        case .guidance: "scale of the guidance w"
        case .snr: "SNR of the noisy input [dB]"
        }
    }

    fileprivate func value(of one: PlotData.Measured) -> Double? {
        switch self {
        case .step: one.evaluation.checkpoint.map { Double($0.step) }
        case .N: one.evaluation.point.steps.map(Double.init)
        case .nfe: one.calls.map { 0.5 * Double($0.lowerBound + $0.upperBound) }
        case .guidance: one.evaluation.point.guidance
        case .snr: nil
        }
    }
}
