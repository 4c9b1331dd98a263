import Audio
import Foundation
import Runs

/// A run as a TensorBoard event file: `tensorboard --logdir FOLDER` shows it.
///
/// Scalars of every step (loss, its terms, gradient norm, learning rate), of validations, and of evaluations at their
/// checkpoint's step; audio and spectrograms of the few validation files that a run keeps. Wall times count from the
/// run's start by the seconds its steps took, so that a repeated export gives the same file.
public struct TensorBoardExport: RunExport {
    private var news: RunNews
    private let folder: String
    private var file: GrowingFile?
    private var heard: Set<String> = []
    private var clock = 0.0

    /// - Parameter folder: What `--logdir` is given, or a folder in it.
    public init(of run: Run.ID, in store: RunStore, to folder: String) {
        news = RunNews(of: run, in: store)
        self.folder = folder
    }

    public mutating func update() throws {
        let run = try news.store.runs([news.run])[0]
        var bytes: [UInt8] = []
        if file == nil {
            let start = run.started ?? run.created
            clock = start.timeIntervalSince1970
            let name = "events.out.tfevents.\(Int(run.created.timeIntervalSince1970)).sgmse.\(run.shortID)"
            file = GrowingFile(folder + "/" + name)
            bytes += EventFile.version(wallTime: clock)
        }
        var wallTimes: [Int: Double] = [:]
        for step in try news.steps() {
            clock += step.seconds.isFinite ? step.seconds : 0
            wallTimes[step.step] = clock
            var values = [("train/loss", step.loss), ("train/gradient_norm", step.gradientNorm), ("train/lr", step.learningRate)]
            values += step.terms.sorted { $0.key < $1.key }.map { ("train/\($0.key)", $0.value) }
            bytes += EventFile.summary(values.map { ($0, .scalar($1)) }, step: step.step, wallTime: clock)
        }
        for one in try news.validations() {
            guard let value = one.value else { continue }
            let time = wallTimes[one.step] ?? clock
            bytes += EventFile.summary([("validation/\(one.metric)", .scalar(value))], step: one.step, wallTime: time)
        }
        for one in try news.evaluations() {
            bytes += EventFile.summary([("evaluation/\(one.tag)", .scalar(one.mean))], step: one.step, wallTime: clock)
        }
        bytes += try recordings(of: run)
        try file?.append(bytes)
    }

    /// The kept validation files that are new: enhanced at their step, clean and noisy at step 0.
    private mutating func recordings(of run: Run) throws -> [UInt8] {
        let base = news.store.folder + "/" + run.folder + "/validation"
        let parts = ((try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []).map { name in
            (name: name, step: name.hasPrefix("step-") ? Int(name.dropFirst(5)) ?? 0 : 0)
        }
        var bytes: [UInt8] = []
        for part in parts.sorted(by: { ($0.step, $0.name) < ($1.step, $1.name) }) {
            let label = part.name.hasPrefix("step-") ? "enhanced" : part.name
            let files = ((try? FileManager.default.contentsOfDirectory(atPath: base + "/" + part.name)) ?? []).sorted()
            for name in files where name.hasSuffix(".wav") && !name.hasPrefix(".") {
                guard heard.insert(part.name + "/" + name).inserted else { continue }
                let path = base + "/" + part.name + "/" + name
                let header = try SoundFile.header(of: path)
                let image = SpectrogramImage.image(of: try SoundFile.readMono(path))
                let wav = [UInt8](FileManager.default.contents(atPath: path) ?? Data())
                let stem = (name as NSString).deletingPathExtension
                bytes += EventFile.summary(
                    [
                        ("\(stem)/audio/\(label)", .audio(wav, sampleRate: header.sampleRate, frames: header.frames)),
                        ("\(stem)/spectrogram/\(label)", .image(image.file, width: image.width, height: image.height)),
                    ], step: part.step, wallTime: clock)
            }
        }
        return bytes
    }
}
