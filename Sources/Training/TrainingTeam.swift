public import Collectives
import Corpora
import Foundation
import Kernels
public import Models
public import Specs

/// What the processes of a team need to know to train with rank 0: the spec, the seed, the files, and the steps in all.
struct TrainingOrder: Codable {
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

/// What rank 0 tells the others to do next.
private enum Message: Codable {
    case train(TrainingOrder)
    case step
    /// Ends a training, or, outside of one, the process.
    case leave
}

/// Processes that train together. Rank 0 does all else by itself: it plans, validates, evaluates, and alone writes the
/// store.
public struct TrainingTeam: Sendable {
    public let group: ProcessGroup

    /// - Precondition: All processes of the group make a team of it.
    public init(_ group: ProcessGroup) { self.group = group }

    /// - Throws: `GroupFailure` for a run that has fewer batches in a step than there are processes.
    public func check(_ spec: ExperimentSpec) throws(GroupFailure) {
        let parts = spec.train.devices * spec.train.accumulateGradBatches
        if parts < group.count {
            throw GroupFailure(
                "\(group.count) processes share \(parts) batches in a step of '\(spec.name)'; raise train.devices, or start fewer processes"
            )
        }
    }

    // MARK: Rank 0

    func begin(_ order: TrainingOrder, _ state: TrainingState) throws {
        try tell(.train(order))
        try state.share(in: group)
    }

    func step(_ state: TrainingState, _ draws: TrainingDraws, _ data: TrainingData) throws -> StepResult {
        try tell(.step)
        return try makeStep(state, draws, data)
    }

    /// Ends a training; nobody may be there any more.
    func leave() { if !group.isBroken { try? tell(.leave) } }

    /// Lets the other processes end.
    public func dismiss() {
        leave()
        group.close()
    }

    /// How the processes worked together, in words.
    var report: String {
        let seconds = group.timeInCalls / .seconds(1)
        return String(
            format: "%d processes by %@; %.1f s in exchanges, waiting for each other included", group.count,
            group.engine, seconds)
    }

    private func tell(_ message: Message) throws { _ = try group.broadcast(try JSONEncoder().encode(message)) }

    // MARK: The others

    /// Trains what rank 0 trains, until it is done.
    ///
    /// - Throws: `GroupFailure` where a process is lost; what reading data throws.
    public func follow(_ catalog: Catalog) throws {
        while case .train(let order) = try next() {
            try order.spec.train.precision.ofProducts.apply { try follow(order, catalog) }
        }
        group.close()
    }

    private func follow(_ order: TrainingOrder, _ catalog: Catalog) throws {
        let builder = ModelBuilder(spec: order.spec, catalog: catalog)
        let state = TrainingState(
            model: try builder.model(seed: order.seed), loss: try builder.loss(), rule: OptimizerRule(order.spec.train))
        try state.share(in: group)
        let data = TrainingData(files: order.pairs, spec: order.spec, frontEnd: builder.frontEnd, seed: order.seed)
        let draws = try TrainingDraws(builder, seed: order.seed, total: order.total)
        while case .step = try next() {
            // What fails a step fails it in every process, and rank 0 says so.
            do { _ = try makeStep(state, draws, data) } catch is TrainingFailure {}
        }
    }

    private func next() throws -> Message {
        try JSONDecoder().decode(Message.self, from: try group.broadcast(nil as Data?))
    }

    private func makeStep(_ state: TrainingState, _ draws: TrainingDraws, _ data: TrainingData) throws -> StepResult {
        let step = state.step
        return try state.update(parts: draws.parts, in: group) { try draws.batch($0, of: step, data) }
    }
}
