import Corpora
import Foundation
public import Runs
import SystemCalls

/// The training history of a run that another program wrote: TensorBoard events, Lightning's CSV, or an export of W&B.
public struct LogFile: Sendable {
    /// Which program wrote the log.
    public enum Format: String, Sendable { case tensorboard, lightning, wandb }

    /// One run of the file: its numbers by name and step.
    public struct History: Sendable {
        /// The name that the run gets in the store.
        public var name: String
        /// Losses by step, ascending; a quantity that the log does not have is NaN.
        public var steps: [StepRecord] = []
        /// Means over the validation files by step, ascending; their `n` is 0, since a log does not say it.
        public var validations: [ValidationRecord] = []
    }

    /// The file or folder, as given.
    public let path: String
    /// That of the last CSV file read; `tensorboard` where only event files were.
    public let format: Format
    /// By name; an export of W&B may hold several, any other log has one.
    public let histories: [History]
    /// Remarks for the user, such as that a file ends in the middle of a record.
    public let remarks: [String]
    let content: String

    /// - Parameter path: A file, or a folder with event files or a `metrics.csv`.
    public init(_ path: String, name: String?) throws {
        let files = try Self.files(path)
        var hasher = ContentHasher()
        var (points, remarks): ([Point], [String]) = ([], [])
        var format = Format.tensorboard
        for file in files {
            guard let data = FileManager.default.contents(atPath: file) else {
                throw ImportFailure(file, [.init("missing", "it cannot be read", fix: "check the path")])
            }
            hasher.combine(ContentHash(ofBytes: data))
            if file.lowercased().hasSuffix(".csv") {
                let table = try Self.points(ofTable: data, file)
                (format, points) = (table.format, points + table.points)
            } else {
                let events = try EventFileReader(data, path: file)
                if events.isCut {
                    remarks.append("\(file) ends in the middle of a record; the whole ones before it were taken")
                }
                points += events.scalars.map {
                    Point(run: "", name: $0.tag, step: $0.step, value: $0.value, time: $0.time)
                }
            }
        }
        let base = name ?? Self.name(of: path)
        let groups = Dictionary(grouping: points, by: \.run)
        histories = groups.keys.sorted().map { run in
            History(
                name: run.isEmpty ? base : name == nil ? run : groups.count > 1 ? "\(base)-\(run)" : base,
                points: groups[run] ?? [])
        }
        guard histories.contains(where: { !$0.steps.isEmpty || !$0.validations.isEmpty }) else {
            throw ImportFailure(
                path,
                [
                    .init(
                        "empty", "no number with a step was found",
                        fix: "give the file that the training logged its scalars to")
                ])
        }
        (self.path, self.format, self.remarks, content) = (path, format, remarks, hasher.finish().description)
    }

    /// Records each history as a separate run; runs that were imported before are not changed.
    public func record(in store: RunStore, provenance: Provenance) throws -> [Run] {
        try histories.map { history in
            let full = URL(fileURLWithPath: path).standardizedFileURL.path
            let about = ["format": format.rawValue, "path": full]
            let resolved = try JSONEncoder().encode(["imported": about])
            let draft = RunDraft(
                name: history.name,
                key: RunKey(identity: "logs|\(content)|\(history.name)", seed: 0, dataFingerprint: ""),
                spec: StoredSpec(file: full, written: "", resolved: String(decoding: resolved, as: UTF8.self)),
                provenance: provenance,
                origin: .imported)
            let run = try store.register(draft)
            try store.record(TrainingBatch(steps: history.steps, validations: history.validations), of: run.id)
            return run
        }
    }

    // MARK: Files

    private static func files(_ path: String) throws -> [String] {
        guard let facts = FileFacts(at: path) else {
            throw ImportFailure(path, [.init("missing", "there is no such file or folder", fix: "check the path")])
        }
        guard facts.kind == .folder else { return [path] }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
        let events = names.filter { $0.contains("tfevents") }
        if !events.isEmpty { return events.map { path + "/" + $0 } }
        guard names.contains("metrics.csv") else {
            throw ImportFailure(
                path,
                [
                    .init(
                        "missing", "the folder has neither event files nor a metrics.csv",
                        fix: "give the folder that the training logged to, or one file")
                ])
        }
        return [path + "/metrics.csv"]
    }

    private static func name(of path: String) -> String {
        let url = URL(fileURLWithPath: path).standardizedFileURL
        let stem = url.deletingPathExtension().lastPathComponent
        return stem == "metrics" || url.lastPathComponent.contains("tfevents")
            ? url.deletingLastPathComponent().lastPathComponent : stem
    }

    /// One number of a log.
    fileprivate struct Point {
        var run: String
        var name: String
        var step: Int
        var value: Double
        var time: Double?
    }

    /// Lightning's `metrics.csv` has a column `step`; an export of W&B has `Step`, and columns `run - name`.
    private static func points(ofTable data: Data, _ path: String) throws -> (format: Format, points: [Point]) {
        let rows = try CSV.table(of: data, path: path)
        guard let heading = rows.first?.fields,
            let stepColumn = heading.firstIndex(where: {
                ["step", "Step", "trainer/global_step", "_step"].contains($0)
            })
        else {
            throw ImportFailure(
                path, [.init("columns", "no column is called step or Step", fix: "export the log with its steps")])
        }
        let isExport = heading.contains { $0.contains(" - ") }
        var points: [Point] = []
        for row in rows.dropFirst() {
            guard row.fields.count > stepColumn, let step = Double(row.fields[stepColumn]), abs(step) < 1e15 else {
                continue
            }
            for (place, title) in heading.enumerated() where place != stepColumn && place < row.fields.count {
                guard let value = Double(row.fields[place]), !title.hasSuffix("__MIN"), !title.hasSuffix("__MAX") else {
                    continue
                }
                let parts = title.components(separatedBy: " - ")
                let isOfRun = isExport && parts.count > 1
                points.append(
                    Point(
                        run: isOfRun ? parts.dropLast().joined(separator: " - ") : "",
                        name: isOfRun ? parts[parts.count - 1] : title,
                        step: Int(step), value: value))
            }
        }
        return (isExport ? .wandb : .lightning, points)
    }
}

extension LogFile.History {
    /// Sorts numbers into steps and validations by their names.
    fileprivate init(name: String, points: [LogFile.Point]) {
        self.name = name
        var steps: [Int: StepRecord] = [:]
        var times: [Int: Double] = [:]
        var validations: [String: ValidationRecord] = [:]
        for point in points {
            guard let role = LogRole(point.name) else { continue }
            if case .validation(let metric) = role {
                // How many files a mean is over, a log does not say.
                validations["\(point.step) \(metric)"] = ValidationRecord(
                    step: point.step, metric: metric, value: point.value.isNaN ? nil : point.value, n: 0)
                continue
            }
            var step =
                steps[point.step]
                ?? StepRecord(step: point.step, loss: .nan, gradientNorm: .nan, learningRate: .nan, seconds: .nan)
            switch role {
            case .loss: step.loss = point.value
            case .learningRate: step.learningRate = point.value
            case .gradientNorm: step.gradientNorm = point.value
            case .term(let term): step.terms[term] = point.value
            case .validation: break
            }
            steps[point.step] = step
            if let time = point.time { times[point.step] = max(times[point.step] ?? 0, time) }
        }
        self.steps = steps.values.sorted { $0.step < $1.step }
        for index in self.steps.indices.dropFirst() {
            guard let now = times[self.steps[index].step], let before = times[self.steps[index - 1].step] else {
                continue
            }
            let count = Double(self.steps[index].step - self.steps[index - 1].step)
            self.steps[index].seconds = max(0, now - before) / count
        }
        self.validations = validations.values.sorted { ($0.step, $0.metric) < ($1.step, $1.metric) }
    }
}

/// What a number of a log is, by its name.
enum LogRole: Hashable {
    case loss, learningRate, gradientNorm
    case term(String)
    case validation(String)

    /// nil for what counts epochs or times.
    init?(_ name: String) {
        let words = name.lowercased().split { "/_- .".contains($0) }.map(String.init)
        guard let first = words.first, let last = words.last, !["epoch", "hp", "runtime", "timestamp"].contains(first)
        else { return nil }
        let plain = words.joined(separator: "_")
        if first == "lr" || last == "lr" || plain.hasSuffix("learning_rate") {
            self = .learningRate
        } else if words.contains("grad") || words.contains("gradient") {
            self = .gradientNorm
        } else if ["train_loss", "train_loss_step", "loss", "training_loss"].contains(plain) {
            self = .loss
        } else if ["train", "training"].contains(first), last != "epoch" {
            self = .term(words.dropFirst().joined(separator: "_"))
        } else if ["val", "valid", "validation"].contains(first), words.count > 1 {
            let metric = words.dropFirst().joined(separator: "_")
            self = .validation(metric == "loss" ? "valid_loss" : metric)
        } else {
            self = .validation(plain)
        }
    }
}
