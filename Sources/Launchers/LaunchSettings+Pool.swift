import Digests
import Foundation

extension LaunchSettings {
    /// What names of units begin with that wait for tasks with these settings; how many tasks there are does not
    /// matter.
    public var pool: String {
        var settings = self
        settings.jobs = nil
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let text = (try? encoder.encode(settings)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return SHA256.hex(text, digits: 6)
    }
}
