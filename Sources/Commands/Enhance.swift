public import ArgumentParser
import Audio
import Checkpoints
public import Enhancement
import Experiments
import Foundation
import JSONValues
import Kernels
import Models
import Parallelism
import Reports
import SpecLanguage
import Specs
import SystemCalls

/// `sgmse enhance`: noisy files in, enhanced files out.
struct Enhance: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Enhance WAV and FLAC files with a trained model.",
        discussion: """
            Names and subfolders are kept; what is neither WAV nor FLAC becomes WAV. Files at another rate than the \
            model's are converted to it, and back with --keep-rate. The sampler is the one of the model's spec unless \
            options say otherwise.

            An output that is there already is kept where the same model, settings, seed and input made it, and made \
            anew where others did. A file that this program did not make is left alone, and the command refused, \
            unless --overwrite is given. (.sgmse-enhanced.jsonl beside the outputs says what made them.)

            --intermediate K also writes K states of the reverse process for each file, beside the output's folder: \
            DIR-states/NAME/1-t0.800.wav and so on, with the process time of each.

            A file that cannot be enhanced fails alone: the others are done, and the command exits 1. It exits 3, \
            before any work, where there is nothing to enhance.
            """)

    @Option(
        help:
            "A .ckpt, a folder of 'checkpoint import', a .safetensors file, the id of a published checkpoint, or a run."
    )
    var checkpoint: String

    @Option(help: "A file, or a folder with its subfolders.")
    var input: String

    @Option(help: "The folder for the enhanced files; for one input also the name of a .wav or .flac file.")
    var output: String

    @OptionGroup(title: "Sampling") var sampling: SamplingOptions
    @OptionGroup(title: "Noise conditioning") var conditioning: ConditioningOptions

    @Option(help: "Weights: ema or raw.")
    var weights = StoredModel.Choice.ema

    @Option(help: "Seed of the sampler's noise.")
    var seed: UInt64 = 0

    @Option(
        help: ArgumentHelp(
            "States of the reverse process to write for each file, at evenly spaced times.", valueName: "count"),
        in: 0...1000)
    var intermediate = 0

    @Flag(help: "Write each file at its input's rate, not at the model's.")
    var keepRate = false

    @Flag(help: "Write 32-bit floats (24-bit integers to FLAC), not 16-bit integers.")
    var float = false

    @Option(
        help: """
            What is done with a file of several channels: refuse (it fails alone), first (its first channel is \
            enhanced), or each (every channel by itself).
            """)
    var channels = FolderEnhancer.Channels.refuse

    @Flag(help: "Enhance files anew whose output is there already.")
    var force = false

    @Flag(help: "Replace files in the place of outputs that this program did not make, or that were changed since.")
    var overwrite = false

    @Flag(help: "Print the summary as one JSON object.")
    var json = false

    @OptionGroup var model: ModelOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var device: DeviceOptions
    @OptionGroup var batch: SamplingBatchOptions
    @OptionGroup var precision: PrecisionOptions

    func run() throws {
        try threads.apply()
        try batch.apply()
        // A few for each file of every worker's batch.
        POSIX.allowMoreOpenFiles()
        try device.apply()
        let stored = try sampling.apply(to: try model.find(checkpoint))
        for remark in stored.remarks { printError("note: \(remark)") }
        let loaded = try stored.enhancer(weights, under: conditioning.choice, seed: seed)
        let (point, used) = (loaded.point, loaded.weights)
        let products = precision.precision ?? point.precision.ofProducts
        try products.use()
        let rate = stored.spec.data.sampleRate
        printError("\(stored.spec.backbone.name) with \(used.description) of \(stored.path)")
        if let remark = used.remark { printError("note: \(remark)") }
        printError(
            "\(point.sampler.name)" + (point.N.map { ", N = \($0)" } ?? "")
                + ", \(rate) Hz, seed \(seed), padding \(point.padding)"
                + (products == .fp32 ? "" : ", \(products)"))
        if let references = loaded.references {
            printError(
                "guidance \(point.guidance ?? 1), reference \(references.reference.label), \(references.count) samples")
        }
        for remark in loaded.remarks { printError("note: \(remark)") }

        let interruption = Interruption()
        let unfinished = UnfinishedFiles()
        let signals = InterruptSignals(interruption) { unfinished.deleteAll() }
        defer { signals.stop() }
        let progress = ProgressPrinter()
        let folder = FolderEnhancer(
            enhancer: loaded.enhancer, sampleRate: rate,
            options: .init(
                restoresRate: keepRate, replaces: force, overwrites: overwrite, encoding: float ? .float32 : .pcm16,
                seed: seed, states: intermediate, channels: channels, filesPerBatch: SamplingBatch.files,
                model: loaded.model),
            references: loaded.references, cleanFolder: conditioning.clean)
        defer { progress.finish() }
        let summary = try folder.run(
            input: input, output: output, interruption: interruption, unfinished: unfinished, observe: progress.show)
        progress.finish()
        for remark in summary.remarks { printError("note: \(remark)") }
        for (file, reason) in summary.failed { printError("✗ \(file): \(reason)") }
        try json ? emit(document(summary)) : emit(text(summary, rate), terminator: "")
        if !summary.failed.isEmpty { throw ExitCode(1) }
    }

    private func text(_ summary: FolderEnhancer.Summary, _ rate: Int) -> String {
        var text = "\(summary.enhanced) enhanced, \(summary.skipped) skipped, \(summary.failed.count) failed\n"
        if summary.resampled > 0 {
            text += "\(summary.resampled) converted to \(rate) Hz" + (keepRate ? " and back\n" : "\n")
        }
        if summary.segmented > 0 {
            text +=
                """
                \(summary.segmented) longer than \(SettingValue.number(sampling.segment).compact) s, in overlapping \
                segments\n
                """
        }
        if intermediate > 0, summary.enhanced > 0 {
            text += "states in \(FolderEnhancer.statesFolder(beside: output))\n"
        }
        if summary.clipped > 0 { text += "\(summary.clipped) samples beyond full scale saturated\n" }
        if let factor = summary.realTimeFactor {
            text += String(
                format: "%.1f s of audio in %.1f s, real-time factor %.2f, %d network evaluations\n",
                summary.audioSeconds,
                summary.seconds, factor, summary.nfe)
        }
        return text
    }

    private func document(_ summary: FolderEnhancer.Summary) -> Reports.JSON {
        .object([
            .init("enhanced", .integer(summary.enhanced)), .init("skipped", .integer(summary.skipped)),
            .init("resampled", .integer(summary.resampled)), .init("segmented", .integer(summary.segmented)),
            .init("clipped", .integer(summary.clipped)),
            .init("remarks", .array(summary.remarks.map { .string($0) })),
            .init(
                "failed",
                .array(
                    summary.failed.map {
                        .object([.init("file", .string($0.file)), .init("reason", .string($0.reason))])
                    })),
            .init("audio_s", .number(summary.audioSeconds)), .init("wall_s", .number(summary.seconds)),
            .init("real_time_factor", summary.realTimeFactor.map { .number($0) } ?? .null),
            .init("nfe", .integer(summary.nfe)),
        ])
    }
}

extension FolderEnhancer.Channels: ExpressibleByArgument {}

/// The sampler and its settings; what is not given is the model's own.
struct SamplingOptions: ParsableArguments {
    @Option(name: .customLong("N"), help: "Steps of the reverse process.", in: 1...100_000)
    var steps: Int?

    @Option(help: "The sampler, such as pc, ode or sb_ode.")
    var sampler: String?

    @Option(help: "The predictor of pc.")
    var predictor: String?

    @Option(help: "The corrector of pc.")
    var corrector: String?

    @Option(help: "Corrector steps at each time.", in: 0...1000)
    var correctorSteps: Int?

    @Option(help: "Step size of the corrector, r.", in: 0...1000)
    var snr: Double?

    @Option(
        name: .customLong("start"), help: "Reverse starting point of pc and ode, a time below the SDE's end.", in: 0...1
    )
    var start: Double?

    @Option(name: .customLong("t-eps"), help: "The least process time.", in: 0...1)
    var tEps: Double?

    @Option(help: "How frames are padded: reflection, replication or zero_pad.")
    var padding: String?

    @Option(
        help: ArgumentHelp(
            """
            Recordings that are longer are enhanced in overlapping segments of this length, in bounded memory; 0 for \
            whole ones.
            """,
            valueName: "seconds"), in: 0...3600)
    var segment = 20.0

    func validate() throws {
        if segment != 0, !(2...3600).contains(segment) {
            throw ValidationError("--segment \(segment): must be 0, or lie in 2...3600 s")
        }
    }

    func apply(to model: StoredModel) throws -> StoredModel {
        let given: [(name: String, value: String?)] = [
            ("predictor", predictor), ("corrector", corrector), ("corrector_steps", correctorSteps.map(String.init)),
            ("snr", snr.map { "\($0)" }), ("start", start.map { "\($0)" }),
        ]
        return try model.overriding(
            StoredModel.overrides(
                of: model.spec, catalog: .standard, sampler: sampler, steps: steps,
                settings: given.compactMap { one in one.value.map { (one.name, $0) } }, tEps: tEps, padding: padding,
                segment: segment))
    }
}

/// The noise reference of a conditioned model.
struct ConditioningOptions: ParsableArguments {
    @Option(
        help:
            """
            Guidance scale w: s₀ + w (s₁ − s₀); if not given, that of the model's spec where it lists one alone, or \
            else 1.
            """,
        in: -1000...1000)
    var guidance: Double?

    @Option(
        help: ArgumentHelp(
            """
            The noise reference: estimated, oracle (with --clean), start, random, zero, none, a file, or a folder; \
            estimated, from the recording's speech-free stretch, if not given. A form follows a slash, as in \
            estimated/quietest.
            """, valueName: "mode|file|dir"))
    var reference: String?

    @Option(
        help: ArgumentHelp("Length of the reference; that of training if not given.", valueName: "seconds"),
        in: 0.01...60)
    var refDuration: Double?

    @Option(help: ArgumentHelp("Folder of the clean files, for oracle references.", valueName: "dir"))
    var clean: String?

    func validate() throws {
        if reference == "oracle", clean == nil {
            throw ValidationError("--reference oracle takes the noise from y − x: name the clean files with --clean")
        }
    }

    var choice: ReferenceChoice { ReferenceChoice(guidance: guidance, reference: reference, seconds: refDuration) }
}
