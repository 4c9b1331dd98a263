public import Foundation
import Runs
import SpecLanguage
public import Specs

/// A part of a plan that one task of a cluster does: a training with its evaluations, an evaluation of a finished
/// training or some of its files, or an anchor.
///
/// It holds all that a machine needs besides the program, the audio and the folder of the runs. Paths are those of the
/// spec, relative to the project's folder.
public struct WorkUnit: Codable, Sendable {
    /// Unique, and safe as a file's name; equal work has an equal name on every machine.
    public var name: String
    /// What it does, for a person.
    public var title: String
    /// The runs whose training it does or evaluates; those of one unit share it.
    var runs: [Part]
    /// What it does, as processes claim it.
    var steps: [String]
    /// Whether it trains, where that is not done.
    public var trains: Bool
    /// Which files of a set, where other units do the rest.
    var files: FileShare?
    /// How often it is tried again.
    public var retries: Int
    /// s that it will take, where a like one was measured.
    public var seconds: Double?
    /// The file of the spec.
    public var spec: String
    /// The path of the store with the history that the unit resumes from, relative to the folder of the runs; nil where
    /// nothing was begun.
    public internal(set) var seed: String?
    /// The short ids of the runs whose history the unit needs; empty where ``seed`` is nil.
    public internal(set) var seedRuns: [String] = []

    /// A run: its resolved spec, and its name and id in the store that planned it.
    struct Part: Sendable {
        var name: String
        var label: String
        var seed: Int
        var spec: ExperimentSpec
        /// The name and the id under which it is stored; nil for one without a model, of which only anchors are
        /// evaluated.
        var storedName: String?
        var shortID: String?
    }

    /// The files of a set of which `count` units do one share each.
    struct FileShare: Hashable, Codable, Sendable {
        var index: Int
        var count: Int

        /// The reason that is recorded for an evaluation of which this unit scored some files.
        static let reason = "some of its files; tasks of their own score the others"

        func range(of files: Int) -> Range<Int> { files * index / count..<files * (index + 1) / count }
    }

    /// The log formats for other programs that the spec names, by the names of the runs.
    public var logs: [String: [TrainSpec.LogFormat]] {
        Dictionary(runs.map { ($0.storedName ?? $0.name, $0.spec.train.log) }, uniquingKeysWith: { first, _ in first })
    }

    /// What each step of its training averages over: devices, and batches in all. An evaluation has one.
    public var devices: (count: Int, batches: Int) {
        guard trains, let spec = runs.first?.spec else { return (1, 1) }
        return Self.devices(of: spec)
    }

    /// What each optimizer step of a spec averages over: devices, and batches of all devices together.
    public static func devices(of spec: ExperimentSpec) -> (count: Int, batches: Int) {
        (spec.train.devices, spec.train.devices * spec.train.accumulateGradBatches)
    }

    /// The ids of its runs.
    public var shortIDs: [String] { runs.compactMap(\.shortID) }

    /// The unit as the file in the queue holds it: JSON with sorted keys.
    public func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}

extension WorkUnit {
    /// - Throws: `DecodingError` for what another version of the program wrote.
    public init(decoding data: Data) throws { self = try JSONDecoder().decode(WorkUnit.self, from: data) }
}

extension WorkUnit.Part: Codable {
    private enum Key: String, CodingKey { case name, label, seed, spec, storedName, shortID }

    init(from decoder: any Decoder) throws {
        let keyed = try decoder.container(keyedBy: Key.self)
        (name, label) = (try keyed.decode(String.self, forKey: .name), try keyed.decode(String.self, forKey: .label))
        seed = try keyed.decode(Int.self, forKey: .seed)
        spec = try ExperimentSpec(
            checking: try keyed.decode(ExactSettings.self, forKey: .spec).settings, at: decoder.codingPath)
        storedName = try keyed.decodeIfPresent(String.self, forKey: .storedName)
        shortID = try keyed.decodeIfPresent(String.self, forKey: .shortID)
    }

    /// Keys of evaluations spell settings in their order, so the order is kept.
    func encode(to encoder: any Encoder) throws {
        var keyed = encoder.container(keyedBy: Key.self)
        try keyed.encode(name, forKey: .name)
        try keyed.encode(label, forKey: .label)
        try keyed.encode(seed, forKey: .seed)
        try keyed.encode(ExactSettings(spec.settings), forKey: .spec)
        try keyed.encodeIfPresent(storedName, forKey: .storedName)
        try keyed.encodeIfPresent(shortID, forKey: .shortID)
    }
}
