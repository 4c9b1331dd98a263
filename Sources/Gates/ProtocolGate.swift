import Audio
public import Corpora
public import Failures
import Foundation
public import Models
import SpecLanguage
public import Specs
import SpeechMetrics
public import Training

/// The checks that are made before any training step.
public enum ProtocolGate {
    /// Findings of audio that was read; what the spec allows, such as converting the rate, is left out.
    package static func findings(_ scans: [SetScan], _ spec: ExperimentSpec) -> [Finding] {
        let samples = (spec.data.numFrames - 1) * spec.transform.hopLength
        return CorpusScan(sets: scans)
            .findings(expecting: .init(sampleRate: spec.data.sampleRate, cropLength: samples))
            .filter { !($0.code == .rate && spec.data.resample) }
    }

    /// Speakers of the published test set in a set that is learned from, whichever test set is evaluated.
    package static func misplacedSpeakers(_ scans: [SetScan], _ split: SpeakerSplit) -> [Finding] {
        scans.filter { $0.role != .test }.compactMap { scan in
            let files = scan.set.files.filter { $0.speaker.map(split.test.contains) ?? false }
            let speakers = Set(files.compactMap(\.speaker)).sorted()
            guard !speakers.isEmpty else { return nil }
            return Finding(
                .speakerOverlap, .error, set: scan.set.name,
                """
                \(speakers.joined(separator: ", ")) \(speakers.count == 1 ? "belongs" : "belong") to the published \
                test set
                """,
                fix: "take these speakers out of \(scan.set.name), or name other ones in data.corpus.test_speakers",
                files: files.map(\.name))
        }
    }

    /// Findings where the spec requests validation and the data has no files for it.
    package static func missingValidation(
        _ training: SetScan?, _ validation: SetScan?, _ split: SpeakerSplit, _ spec: ExperimentSpec
    ) -> [Finding] {
        guard let training, spec.validates else { return [] }
        let held = split.validation.sorted().joined(separator: ", ")
        guard let validation else {
            let tried =
                held.isEmpty ? "data.corpus names no valid_speakers" : "\(training.set.name) has no file of \(held)"
            return [
                Finding(
                    .empty, spec.choosesByValidation ? .error : .warning, set: "valid",
                    "there is nothing to validate on: the data has no set 'valid', and \(tried)",
                    fix:
                        """
                        add the set, name speakers that are there, or train.num_eval_files: 0 with \
                        evaluate.checkpoint: last
                        """
                )
            ]
        }
        guard validation.set.path == training.set.path else { return [] }
        let absent = split.validation.subtracting(validation.pairs.compactMap(\.file.speaker)).sorted()
        guard !absent.isEmpty else { return [] }
        return [
            Finding(
                .speakerUnknown, .warning, set: "valid",
                "no file is of \(absent.joined(separator: ", ")), named in valid_speakers",
                fix: "correct data.corpus.valid_speakers, or add the files")
        ]
    }

    /// Enforces every check that needs no audio.
    ///
    /// - Throws: What ``report(on:_:)`` throws; `GateFailure` for errors that the spec does not waive.
    public static func enforce(_ loaded: LoadedSpec, _ catalog: Catalog = .standard) throws -> [Finding] {
        let report = try report(on: loaded, catalog)
        try report.enforce()
        return report.findings
    }

    /// Every finding that needs no audio.
    ///
    /// - Throws: `IncompleteSpec` for a spec with settings that are not known, `SharedIdentity`, `IncompatibleParts`
    ///   for a sampler that cannot be made.
    public static func report(on loaded: LoadedSpec, _ catalog: Catalog = .standard) throws -> GateReport {
        if !loaded.unknown.isEmpty { throw IncompleteSpec(file: loaded.file, settings: loaded.unknown) }
        try SharedIdentity.check(loaded)
        var report = GateReport()
        report.add(ProtocolDifferences.between(loaded.runs), of: loaded.spec)
        let vocabulary = catalog.vocabulary
        var latest: ProtocolDifferences.Inputs?
        for run in loaded.runs {
            // Most runs of a sweep have the same inputs as the run before them.
            let inputs = ProtocolDifferences.Inputs(run.spec)
            guard inputs != latest else { continue }
            latest = inputs
            try checkSamplers(run, catalog)
            report.add(
                ProtocolDifferences.inside(run.spec, vocabulary) + undefinedMetrics(run.spec, catalog), of: run.spec)
        }
        return report
    }
}

extension ProtocolGate {
    /// Metrics that no file of the spec's rate has, and that nothing can be converted to.
    private static func undefinedMetrics(_ spec: ExperimentSpec, _ catalog: Catalog) -> [Finding] {
        let rate = spec.data.sampleRate
        return spec.evaluate.metrics.compactMap { catalog.metrics[$0.name] }.filter {
            $0.rates.target(for: rate) == nil
        }.map {
            Finding(
                .rate, .warning, set: "protocol",
                "metric '\($0.name)' is not defined at \(rate) Hz, and files are never raised in rate",
                fix: "leave it out of evaluate.metrics, or use data at another rate")
        }
    }

    /// Makes the samplers of all evaluations, so that none fails behind a training.
    private static func checkSamplers(_ run: SpecRun, _ catalog: Catalog) throws {
        guard run.spec.hasModel else { return }
        let builder = ModelBuilder(spec: run.spec, catalog: catalog)
        for point in run.evaluations.map(\.point) {
            _ = try builder.sampler(point.sampler, steps: point.N, finalTime: point.tEps)
        }
    }
}

extension ProtocolGate {
    /// Checks that the weights exist that a run begins with.
    ///
    /// - Throws: `IncompatibleParts` where they are not.
    public static func checkStart(of run: SpecRun, in workspace: Workspace) throws {
        _ = try StartingPoint(run.spec, store: workspace.store, folder: workspace.folder)
    }
}

/// A spec that cannot run, since its source does not state all its settings.
public struct IncompleteSpec: Diagnostic, Hashable, Sendable {
    /// The spec's file.
    public var file: String
    /// What is missing, by path.
    public var settings: [String: String]

    public var place: String? { file }
    public var summary: String {
        let lines = settings.sorted { $0.key < $1.key }.map { "\n    \($0.key): \($0.value)" }
        let count = settings.count == 1 ? "a setting is" : "\(settings.count) settings are"
        return "incomplete: \(count) not known" + lines.joined()
    }
    public var hint: String? { Self.advice }
    public var category: FailureCategory { .request }

    /// The hint of this error, which `check` prints too for an incomplete spec.
    public static let advice = "set them and remove them from 'incomplete', or import the published checkpoint"
}

extension ExperimentSpec {
    /// Whether training evaluates the network on validation files.
    package var validates: Bool { train.numEvalFiles > 0 || train.earlyStopping != nil }

    /// Whether validation decides which checkpoint is evaluated, or when training ends.
    package var choosesByValidation: Bool {
        train.earlyStopping != nil || evaluate.checkpoints.contains { $0.name.hasPrefix("best_") }
    }
}
