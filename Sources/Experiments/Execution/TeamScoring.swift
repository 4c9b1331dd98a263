import Collectives
import Corpora
import Failures
import Foundation
import Kernels
public import Models
import Parallelism
import SpecLanguage
import Specs
import SpeechMetrics
public import Training

/// What the processes of a team need to know to score the files of an evaluation with rank 0.
struct ScoringOrder: Codable {
    enum Subject: Codable {
        /// The place of the filter among the spec's.
        case anchor(Int)
        /// The place of the evaluation among those of a run with this seed; the weights come from rank 0.
        case model(evaluation: Int, seed: Int)
    }

    private struct File: Codable {
        var name, clean, noisy: String
        var entry: Manifest.Entry?
    }

    let spec: ExperimentSpec
    let subject: Subject
    let noiseSeed: UInt64
    let precision: Precision
    /// All files of the set, which references may be taken from.
    private let whole: [File]
    /// Those that are to be scored, in the order in which they are shared out.
    let places: [Int]
    /// Those whose audio goes to rank 0.
    let kept: Set<String>
    /// Files that a process scores between two exchanges.
    let each: Int
    let filesPerBatch: Int

    /// - Parameters:
    ///   - missing: The files that are to be scored.
    ///   - kept: Those whose audio is kept.
    init(_ task: EvaluationTask, _ subject: Subject, missing: [PairedFile], kept: Set<String>) {
        (spec, self.subject, self.kept) = (task.spec, subject, kept)
        (noiseSeed, precision, filesPerBatch) = (task.noiseSeed, task.precision, SamplingBatch.files)
        each = Engine.threads * filesPerBatch
        let all = task.test.set.files
        whole = all.map { File(name: $0.name, clean: $0.cleanPath, noisy: $0.noisyPath, entry: $0.entry) }
        let index = Dictionary(all.indices.map { (all[$0].name, $0) }, uniquingKeysWith: { first, _ in first })
        places = FileEvaluator.longestFirst(missing).compactMap { index[missing[$0].name] }
    }

    var files: [PairedFile] {
        whole.map { PairedFile(name: $0.name, cleanPath: $0.clean, noisyPath: $0.noisy, entry: $0.entry) }
    }

    func evaluator(_ catalog: Catalog) -> FileEvaluator {
        FileEvaluator(
            sampleRate: spec.data.sampleRate, rates: spec.ratePolicy,
            metrics: spec.evaluate.metrics.compactMap { catalog.metrics[$0.name] }, noiseSeed: noiseSeed,
            filesPerBatch: filesPerBatch)
    }

    /// How many rounds there are, in each of which every process scores ``each`` files at most.
    func rounds(_ processes: Int) -> Int { (places.count + each * processes - 1) / (each * processes) }

    /// The places of the files that a process scores in a round: of neighbours, which are of like length, each process
    /// has one.
    func share(of rank: Int, among processes: Int, round: Int) -> [Int] {
        let all = Array(places.dropFirst(round * each * processes).prefix(each * processes))
        return stride(from: rank, to: all.count, by: processes).map { all[$0] }
    }

    func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try encoder.encode(self)
    }

    init(decoding data: Data) throws {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        self = try decoder.decode(ScoringOrder.self, from: data)
    }
}

/// What one process made of its files in a round.
private struct ScoredShare: Codable {
    struct File: Codable {
        struct Metric: Codable {
            var name, signature: String
            var value: Double?
            var failure: MetricFailure?
            var conversions: [String]
        }

        var place: Int
        var metrics: [Metric]
        var nfe: Int
        var seconds, duration: Double
        var reference: ReferenceRecord?
        var audio: Data?
    }

    var files: [File] = []
    /// Why its other files were not scored.
    var failure: FailedShare?

    /// Numbers as they are, infinite ones too, and bytes.
    func encoded() throws -> Data {
        let encoder = PropertyListEncoder()
        encoder.outputFormat = .binary
        return try encoder.encode(self)
    }
}

extension ScoredShare.File {
    init(_ outcome: FileEvaluator.Outcome, at place: Int, keepsAudio: Bool) {
        self.place = place
        metrics = outcome.metrics.map {
            Metric(
                name: $0.name, signature: $0.signature, value: $0.value, failure: $0.failure,
                conversions: $0.conversions)
        }
        (nfe, seconds) = (outcome.processed.nfe, outcome.processed.seconds)
        (duration, reference) = (outcome.duration, outcome.processed.reference)
        audio = keepsAudio ? Self.bytes(of: outcome.processed.audio) : nil
    }

    func outcome(among files: [PairedFile]) -> FileEvaluator.Outcome {
        let metrics = metrics.map { metric in
            MetricOutcome(
                name: metric.name, signature: metric.signature,
                result: metric.failure.map { .failure($0) } ?? .success(metric.value ?? .nan),
                conversions: metric.conversions)
        }
        return FileEvaluator.Outcome(
            file: files[place], processed: .init(audio: samples, nfe: nfe, seconds: seconds, reference: reference),
            metrics: metrics, duration: duration)
    }

    /// Four bytes a sample, the lowest first.
    private static func bytes(of samples: [Float]) -> Data {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 * samples.count)
        for sample in samples {
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: sample.bitPattern >> shift))
            }
        }
        return Data(bytes)
    }

    private var samples: [Float] {
        let bytes = [UInt8](audio ?? Data())
        return (0..<bytes.count / 4).map { place in
            let bits = bytes[4 * place..<4 * place + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            return Float(bitPattern: bits)
        }
    }
}

/// A file that another process of the team could not score.
struct FailedShare: Diagnostic, Hashable, Codable {
    var rank: Int
    var text: String
    /// The raw value of the failure's category.
    private var fault: String

    init(_ error: any Error, of rank: Int) {
        (self.rank, text, fault) = (rank, "\(error)", FailureCategory(of: error).rawValue)
    }

    var summary: String { "rank \(rank): \(text)" }
    var category: FailureCategory { FailureCategory(rawValue: fault) ?? .work }
    var description: String { summary }
}

/// The files of an evaluation, shared out among the processes of a team in rounds.
///
/// In each round every process scores its share and sends the results to rank 0. Where a process is lost, one round is
/// lost, and nothing is stored twice.
struct TeamScoring {
    let team: TrainingTeam
    let order: ScoringOrder
    let evaluator: FileEvaluator
    let process: FileEvaluator.Process

    /// Scores all files, as rank 0.
    ///
    /// - Parameters:
    ///   - model: Whose weights the others take over; `nil` for an anchor.
    ///   - done: Called for every file, with the number of files so far.
    /// - Returns: How many files each process scored.
    /// - Throws: The first error of any process, or of `done`, behind the results that were ready; `GroupFailure`.
    func lead(
        _ model: ScoreModel?, _ interruption: Interruption, done: (FileEvaluator.Outcome, Int) throws -> Void
    ) throws -> [Int] {
        try team.begin(scoring: order.encoded())
        defer { team.endWork() }
        if let model { try team.share(model) }
        let files = order.files
        var counts = [Int](repeating: 0, count: team.group.count)
        for round in 0..<order.rounds(team.group.count) {
            try interruption.check()
            try team.beginRound()
            var own: (any Error)?
            let shares = try exchange(round, files, interruption) { own = $0 }
            for (rank, share) in shares.enumerated() {
                for file in share.files {
                    counts[rank] += 1
                    try done(file.outcome(among: files), counts.reduce(0, +))
                }
            }
            if let error = own ?? shares.compactMap(\.failure).first { throw error }
        }
        return counts
    }

    /// Scores shares as a process other than rank 0, until rank 0 ends the rounds.
    func follow() throws {
        let files = order.files
        var round = 0
        while try team.hasNextRound() {
            _ = try exchange(round, files, Interruption()) { _ in }
            round += 1
        }
    }

    /// Scores this process's share, and returns what all made of theirs.
    private func exchange(
        _ round: Int, _ files: [PairedFile], _ interruption: Interruption, failed: (any Error) -> Void
    ) throws -> [ScoredShare] {
        let group = team.group
        let places = order.share(of: group.rank, among: group.count, round: round)
        let place = Dictionary(places.map { (files[$0].name, $0) }, uniquingKeysWith: { first, _ in first })
        var mine = ScoredShare()
        do {
            try evaluator.evaluate(places.map { files[$0] }, interruption: interruption, process: process) { one, _ in
                guard let place = place[one.file.name] else { return }
                mine.files.append(.init(one, at: place, keepsAudio: order.kept.contains(one.file.name)))
            }
        } catch {
            mine.failure = FailedShare(error, of: group.rank)
            failed(error)
        }
        let all = try group.gather(try mine.encoded())
        guard group.rank == 0 else { return [] }
        return try all.map { try PropertyListDecoder().decode(ScoredShare.self, from: $0) }
    }
}

extension TrainingTeam {
    /// Does what rank 0 does, as one of the others, until it is done.
    ///
    /// - Throws: `GroupFailure` where a process is lost; what reading data for training throws.
    public func follow(_ catalog: Catalog) throws {
        try serve(catalog) { data in
            let order = try ScoringOrder(decoding: data)
            try order.precision.apply { try score(order, catalog) }
        }
    }

    private func score(_ order: ScoringOrder, _ catalog: Catalog) throws {
        let evaluator = order.evaluator(catalog)
        let process: FileEvaluator.Process
        switch order.subject {
        case .anchor(let index):
            process = try FileEvaluator.filtering(
                order.spec.evaluate.anchors[index], at: order.spec.data.sampleRate, catalog)
        case .model(let index, let seed):
            let run = SpecRun(
                name: order.spec.name, label: "", seed: seed, spec: order.spec, vocabulary: catalog.vocabulary)
            let builder = ModelBuilder(spec: order.spec, catalog: catalog)
            let model = try builder.model(seed: UInt64(seed))
            try share(model)
            process = try evaluator.enhancing(model, builder, run.evaluations[index].point, order.files)
        }
        try TeamScoring(team: self, order: order, evaluator: evaluator, process: process).follow()
    }
}
