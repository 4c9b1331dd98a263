import Corpora
import Foundation
import Runs
import Specs

/// The checks that stand before any training step.
public enum ProtocolGate {
    /// The names by which a spec may waive them.
    static let names = Finding.Code.allCases.map(\.rawValue)

    /// Findings of audio that was read; what the spec says to do anyway, such as converting the rate, is no error.
    static func findings(_ scans: [SetScan], _ spec: ExperimentSpec) -> [Finding] {
        let samples = (spec.data.numFrames - 1) * spec.transform.hopLength
        return CorpusScan(sets: scans)
            .findings(expecting: .init(sampleRate: spec.data.sampleRate, cropLength: samples))
            .filter { !($0.code == .rate && spec.data.resample) }
    }
}

/// Data that is not what the protocol says.
public struct GateFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public var findings: [Finding]

    public var description: String {
        let lines = findings.map { "error: \($0)" }
        return lines.joined(separator: "\n") + "\n    a spec may waive a check by name, with a reason: waive: { \(findings[0].code.rawValue): ... }"
    }
}
