public import Failures
import Runs
import Statistics

/// The scores that plots are drawn from: runs, anchors and systems from elsewhere on one test set, in one metric.
struct PlotData {
    /// One evaluation with its scores.
    struct Measured {
        var evaluation: Evaluation
        /// nil for anchors and systems from elsewhere.
        var run: Run?
        var series: ScoreSnapshot.Series
        /// How often networks were called for a file.
        var calls: ClosedRange<Int>?

        var system: String { run?.name ?? evaluation.anchor ?? "" }

        /// The mean over finite scores, with its 95 % interval over files, from six files on.
        var point: (mean: Double, interval: ClosedRange<Double>?) { PlotData.mean(of: series.values) }
    }

    let set: TestSet
    let metric: ScoredMetric
    let measured: [Measured]
    /// By file.
    let files: [TestFile.ID: TestFile]

    /// Which scores of a store are plotted.
    struct Selection {
        var set: String?
        var metric: String
        var steps: Int?
    }

    /// - Throws: `PlotError` where there is nothing to draw.
    init(_ runs: [Run.ID], in store: RunStore, _ selection: Selection) throws {
        let snapshot = try store.scores(of: runs, sets: selection.set.map { [$0] }, metrics: [selection.metric])
        let counts = Dictionary(
            grouping: snapshot.series.keys,
            by: { key in snapshot.evaluations.first { $0.id == key.evaluation }?.testSet })
        let sets = snapshot.testSets.values.sorted { $0.id < $1.id }.filter { counts[$0.id] != nil }
        guard let set = selection.set == nil ? sets.first : sets.last else {
            throw PlotError(
                "no score of '\(selection.metric)'" + (selection.set.map { " on '\($0)'" } ?? ""),
                hint: "sgmse compare shows what was scored")
        }
        let here = snapshot.evaluations.filter { one in
            one.testSet == set.id
                && (selection.steps == nil || one.point.steps == nil || one.point.steps == selection.steps)
        }
        let metrics = snapshot.metrics.values.sorted { $0.id < $1.id }
        func count(_ metric: ScoredMetric) -> Int {
            here.count { snapshot.series[.init(evaluation: $0.id, metric: metric.id)] != nil }
        }
        guard let metric = metrics.max(by: { count($0) < count($1) }), count(metric) > 0 else {
            throw PlotError(
                "no score of '\(selection.metric)' on '\(set.name)'" + (selection.steps.map { " at N = \($0)" } ?? ""),
                hint: "sgmse compare shows what was scored")
        }
        let byID = Dictionary(snapshot.runs.map { ($0.id, $0) }) { first, _ in first }
        (self.set, self.metric) = (set, metric)
        measured = here.compactMap { one in
            snapshot.series[.init(evaluation: one.id, metric: metric.id)].map {
                Measured(
                    evaluation: one, run: one.run.flatMap { byID[$0] }, series: $0,
                    calls: snapshot.networkCalls(of: one))
            }
        }
        files = Dictionary(try store.files(of: set.id).compactMap { file in file.id.map { ($0, file) } }) { first, _ in
            first
        }
    }

    /// Evaluations of runs, in the order of the runs.
    var ofRuns: [Measured] { measured.filter { $0.run != nil } }

    /// `PESQ`, `SI-SDR [dB]`: the metric as an axis has it.
    var label: String { metric.symbol + (metric.unit.isEmpty ? "" : " [\(metric.unit)]") }

    /// The noisy input and the Wiener filter, as far as they were scored.
    var levels: [Plot.Level] {
        ["noisy", "wiener"].compactMap { name in
            measured.first { $0.evaluation.anchor == name }.map { Plot.Level(name, $0.point.mean) }
        }
    }

    static func mean(of values: [Double]) -> (mean: Double, interval: ClosedRange<Double>?) {
        let finite = values.filter(\.isFinite)
        guard !finite.isEmpty else { return (.nan, nil) }
        let sample = PairedSample([finite])
        return (
            sample.mean,
            sample.clusters >= Bootstrap.fewestUnits ? Bootstrap.interval(of: sample, resamples: 2000) : nil
        )
    }
}

/// Why there is nothing to draw.
public struct PlotError: Diagnostic, Hashable, Sendable {
    public var summary: String
    public var hint: String?

    init(_ summary: String, hint: String) { (self.summary, self.hint) = (summary, hint) }

    public var category: FailureCategory { .request }
}
