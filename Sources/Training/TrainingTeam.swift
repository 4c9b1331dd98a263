public import Collectives
import Corpora
package import Foundation
import Kernels
public import Models
public import Specs
import Tensors

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
    /// Other work in rounds, as whoever asks for it has written it.
    case score(Data)
    /// One step of a training, or one round.
    case step
    /// Ends a training or other work, or, outside of both, the process.
    case leave
}

/// Processes that train and evaluate together. Rank 0 does all else by itself: it plans, validates, and alone writes
/// the store.
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

    func begin(_ order: TrainingOrder, _ state: TrainingState) throws {
        try tell(.train(order))
        try state.share(in: group)
    }

    func step(_ state: TrainingState, _ draws: TrainingDraws, _ data: TrainingData) throws -> StepResult {
        try tell(.step)
        return try makeStep(state, draws, data)
    }

    /// Begins work that is done in rounds.
    package func begin(scoring order: Data) throws { try tell(.score(order)) }

    package func beginRound() throws { try tell(.step) }

    /// Ends a training or other work; nobody may be there any more.
    package func leave() { if !group.isBroken { try? tell(.leave) } }

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

    /// Trains what rank 0 trains, until it is done.
    ///
    /// - Parameter score: Does other work that rank 0 begins.
    /// - Throws: `GroupFailure` where a process is lost; what reading data throws.
    package func follow(_ catalog: Catalog, score: (Data) throws -> Void) throws {
        while true {
            switch try next() {
            case .train(let order):
                try order.spec.train.precision.ofProducts.apply { try follow(order, catalog) }
            case .score(let order): try score(order)
            case .step, .leave: return group.close()
            }
        }
    }

    /// Whether rank 0 begins another round.
    package func hasNextRound() throws -> Bool { if case .step = try next() { true } else { false } }

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
