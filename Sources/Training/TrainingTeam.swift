public import Collectives
import Corpora
package import Foundation
import Kernels
public import Models
public import Specs
import Tensors

/// What rank 0 sends to the other processes at the start of a training: spec, seed, files, and number of steps.
struct TrainingTask: Codable {
    struct File: Codable { var name, clean, noisy: String }

    var spec: ExperimentSpec
    var seed: UInt64
    var files: [File]
    var total: Int

    init(spec: ExperimentSpec, seed: UInt64, files: [PairedFile], total: Int) {
        (self.spec, self.seed, self.total) = (spec, seed, total)
        self.files = files.map { File(name: $0.name, clean: $0.cleanPath, noisy: $0.noisyPath) }
    }

    var pairs: [PairedFile] { files.map { PairedFile(name: $0.name, cleanPath: $0.clean, noisyPath: $0.noisy) } }
}

/// What rank 0 broadcasts to the other processes before each operation.
private enum Message: Codable {
    case train(TrainingTask)
    /// Other work in rounds; the bytes describe it, and only the module that begins it reads them.
    case score(Data)
    /// One step of a training, or one round.
    case step
    /// Ends a training or other work, or, outside of both, the process.
    case end
}

/// Processes that train and evaluate together. Rank 0 alone plans, validates, and writes the store.
public struct TrainingTeam: Sendable {
    /// The processes, each with its rank; all of them must make the same collective calls.
    public let group: ProcessGroup

    /// - Precondition: All processes of the group make a team of it.
    public init(_ group: ProcessGroup) { self.group = group }

    /// - Throws: `GroupFailure` for a run that has fewer batches in a step than there are processes.
    public func check(_ spec: ExperimentSpec) throws(GroupFailure) {
        let parts = spec.train.devices * spec.train.accumulateGradBatches
        if parts < group.count {
            throw GroupFailure(
                """
                \(group.count) processes share \(parts) batches in a step of '\(spec.name)'; raise train.devices, or \
                start fewer processes
                """
            )
        }
    }

    // MARK: Rank 0

    func begin(_ task: TrainingTask, _ state: TrainingState) throws {
        try broadcast(.train(task))
        try state.share(in: group)
    }

    func step(_ state: TrainingState, _ ahead: BatchesAhead, _ parts: Int) throws -> StepResult {
        try broadcast(.step)
        return try makeStep(state, ahead, parts)
    }

    /// Begins work that is done in rounds.
    package func begin(scoring order: Data) throws { try broadcast(.score(order)) }

    package func beginRound() throws { try broadcast(.step) }

    /// Ends a training or other work; does nothing if the other processes are already lost.
    package func endWork() { if !group.isBroken { try? broadcast(.end) } }

    /// Ends the other processes.
    public func endProcesses() {
        endWork()
        group.close()
    }

    /// How the processes worked together, in words.
    var report: String {
        let seconds = group.timeInCalls / .seconds(1)
        return String(
            format: "%d processes by %@; %.1f s in exchanges, waiting for each other included", group.count,
            group.engine, seconds)
    }

    private func broadcast(_ message: Message) throws { _ = try group.broadcast(try JSONEncoder().encode(message)) }

    /// Gives the weights of rank 0's model to those of all others.
    package func share(_ model: ScoreModel) throws {
        let parameters = model.weights.map(\.parameter) + model.buffers.map(\.parameter)
        var numbers = parameters.flatMap(\.tensor.values)
        try group.broadcast(&numbers)
        guard group.rank > 0 else { return }
        var start = 0
        for parameter in parameters {
            let end = start + parameter.count
            parameter.assign(Tensor(Array(numbers[start..<end]), shape: parameter.shape))
            start = end
        }
    }

    // MARK: The others

    /// Takes part in every training and other work that rank 0 begins, until rank 0 ends the processes.
    ///
    /// - Parameter score: Takes part in work other than training, described by the data.
    /// - Throws: `GroupFailure` where a process is lost; what reading data throws.
    package func serve(_ catalog: Catalog, score: (Data) throws -> Void) throws {
        while true {
            switch try next() {
            case .train(let task):
                try task.spec.train.precision.ofProducts.apply { try train(task, catalog) }
            case .score(let order): try score(order)
            case .step, .end: return group.close()
            }
        }
    }

    /// Whether rank 0 begins another round.
    package func hasNextRound() throws -> Bool { if case .step = try next() { true } else { false } }

    private func train(_ task: TrainingTask, _ catalog: Catalog) throws {
        let builder = ModelBuilder(spec: task.spec, catalog: catalog)
        let state = TrainingState(
            model: try builder.model(seed: task.seed), loss: try builder.loss(), rule: OptimizerRule(task.spec.train))
        try state.share(in: group)
        let data = TrainingData(files: task.pairs, spec: task.spec, frontEnd: builder.frontEnd, seed: task.seed)
        let draws = try TrainingDraws(builder, seed: task.seed, total: task.total)
        let ahead = BatchesAhead(draws, data, total: task.total, rank: group.rank, count: group.count)
        defer { ahead.finish() }
        while case .step = try next() {
            // A failure occurs in every process at the same step; rank 0 reports it.
            do { _ = try makeStep(state, ahead, draws.parts) } catch is TrainingFailure {}
        }
    }

    private func next() throws -> Message {
        try JSONDecoder().decode(Message.self, from: try group.broadcast(nil as Data?))
    }

    private func makeStep(_ state: TrainingState, _ ahead: BatchesAhead, _ parts: Int) throws -> StepResult {
        let batches = try ahead.batches(of: state.step)
        return try state.update(parts: parts, in: group) { batches[$0 / group.count] }
    }
}
