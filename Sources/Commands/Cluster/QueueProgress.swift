import Experiments
import Foundation
import Launchers
import Progress
import Training

/// Reads the events that the tasks of a queue append to files, and how far each unit is.
struct QueueProgress {
    let queue: UnitQueue
    private var places: [String: UInt64] = [:]

    init(of queue: UnitQueue) { self.queue = queue }

    /// The events of some units that were not read yet.
    mutating func newEvents(of units: some Sequence<String>) -> [ExperimentEvent] {
        units.flatMap { unit -> [ExperimentEvent] in
            guard let handle = FileHandle(forReadingAtPath: queue.workFolder(of: unit) + "/events.jsonl") else {
                return []
            }
            defer { try? handle.close() }
            let start = places[unit, default: 0]
            guard (try? handle.seek(toOffset: start)) != nil, let data = try? handle.readToEnd() else { return [] }
            // A line that is being written is read the next time.
            guard let end = data.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
            let whole = data[...end]
            places[unit] = start + UInt64(whole.count)
            return whole.split(separator: UInt8(ascii: "\n")).compactMap {
                ExperimentEvent(line: String(decoding: $0, as: UTF8.self))
            }
        }
    }

    /// How far a unit is: its stage in words, and the seconds that are left where that is known.
    static func stage(of unit: String, in queue: UnitQueue) -> (text: String, secondsLeft: Double?) {
        var progress = QueueProgress(of: queue)
        var (text, left): (String, Double?) = ("", nil)
        for event in progress.newEvents(of: [unit]) {
            switch event {
            case .trainingStarted(_, _, let step, let total): (text, left) = ("step \(step)/\(total)", nil)
            case .trained(_, let progress):
                (text, left) = ("step \(progress.step)/\(progress.of)", progress.secondsLeft)
            case .evaluated(_, let label, _, let done, let total, let seconds):
                (text, left) = ("\(label) file \(done)/\(total)", seconds)
            case .planned(let step) where step.state != .cached: (text, left) = (step.title, nil)
            default: break
            }
        }
        return (text, left)
    }
}
