import Audio
import Foundation
public import Runs

/// A run as a TensorBoard event file: `tensorboard --logdir FOLDER` shows it.
///
/// Scalars of every step (loss, its terms, gradient norm, learning rate), of validations, and of evaluations at their
/// checkpoint's step; audio and spectrograms of the few validation files that a run keeps. Wall times count from the
/// run's start by the seconds its steps took, so that a repeated export gives the same file.
public struct TensorBoardExport: RunExport {
    private var newRecords: NewRecords
    private let folder: String
    private var file: AppendOnlyFile?
    private var written: Set<String> = []
    private var clock = 0.0

    /// - Parameter folder: What `--logdir` is given, or a folder in it.
    public init(of run: Run.ID, in store: RunStore, to folder: String) {
        newRecords = NewRecords(of: run, in: store)
        self.folder = folder
    }

    /// Appends the scalars, audio and spectrograms that are new since the last call.
    public mutating func update() throws {
        let run = try newRecords.store.runs([newRecords.run])[0]
        if file == nil { try begin(run) }
        let validations = try newRecords.validations()
        let validated = Set(validations.map(\.step))  // elsewhere the time of a step is not needed again
        var wallTimes: [Int: Double] = [:]
        while let steps = try newRecords.nextSteps() {
            try file?.append(
                steps.flatMap { step -> [UInt8] in
                    clock += step.seconds.isFinite ? step.seconds : 0
                    if validated.contains(step.step) { wallTimes[step.step] = clock }
                    return Self.summary(of: step, at: clock)
                })
        }
        for one in validations {
            guard let value = one.value else { continue }
            let time = wallTimes[one.step] ?? clock
            try file?.append(
                EventFile.summary([("validation/\(one.metric)", .scalar(value))], step: one.step, wallTime: time))
        }
        for one in try newRecords.evaluations() {
            try file?.append(
                EventFile.summary([("evaluation/\(one.tag)", .scalar(one.mean))], step: one.step, wallTime: clock))
        }
        try recordings(of: run)
        try file?.finishUpdate()
    }

    private mutating func begin(_ run: Run) throws(StoreError) {
        clock = (run.started ?? run.created).timeIntervalSince1970
        var file = AppendOnlyFile(
            "\(folder)/events.out.tfevents.\(Int(run.created.timeIntervalSince1970)).sgmse.\(run.shortID)")
        try file.append(EventFile.version(wallTime: clock))
        self.file = file
    }

    private static func summary(of step: StepRecord, at time: Double) -> [UInt8] {
        var values = [
            ("train/loss", step.loss), ("train/gradient_norm", step.gradientNorm), ("train/lr", step.learningRate),
        ]
        values += step.terms.sorted { $0.key < $1.key }.map { ("train/\($0.key)", $0.value) }
        return EventFile.summary(values.map { ($0, .scalar($1)) }, step: step.step, wallTime: time)
    }

    /// The kept validation files that are new: enhanced at their step, clean and noisy at step 0.
    private mutating func recordings(of run: Run) throws {
        let base = newRecords.store.folder + "/" + run.folder + "/validation"
        let parts = ((try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []).map { name in
            (name: name, step: name.hasPrefix("step-") ? Int(name.dropFirst(5)) ?? 0 : 0)
        }
        for part in parts.sorted(by: { ($0.step, $0.name) < ($1.step, $1.name) }) {
            let label = part.name.hasPrefix("step-") ? "enhanced" : part.name
            let files = ((try? FileManager.default.contentsOfDirectory(atPath: base + "/" + part.name)) ?? []).sorted()
            for name in files where name.hasSuffix(".wav") && !name.hasPrefix(".") {
                guard written.insert(part.name + "/" + name).inserted else { continue }
                let path = base + "/" + part.name + "/" + name
                let header = try SoundFile.header(of: path)
                let image = SpectrogramImage.image(of: try SoundFile.readMono(path))
                let wav = [UInt8](FileManager.default.contents(atPath: path) ?? Data())
                let stem = (name as NSString).deletingPathExtension
                try file?.append(
                    EventFile.summary(
                        [
                            (
                                "\(stem)/audio/\(label)",
                                .audio(wav, sampleRate: header.sampleRate, frames: header.frames)
                            ),
                            (
                                "\(stem)/spectrogram/\(label)",
                                .image(image.file, width: image.width, height: image.height)
                            ),
                        ], step: part.step, wallTime: clock))
            }
        }
    }
}
