public import Specs

/// One side of a comparison of protocols: a spec, what checks found, and measured values.
public struct ProtocolSide: Sendable {
    /// The heading of its column.
    public var label: String
    /// The resolved spec whose settings are compared.
    public var spec: ExperimentSpec
    /// What checks found in spec and data, waived or not.
    public var findings: [Finding]
    /// Measured values by name: `checkpoint.step`, `validation.pesq`, ...
    public var measured: [String: String]

    /// A check that found something.
    public struct Finding: Hashable, Sendable {
        /// The name of the check, such as `content-overlap`.
        public var gate: String
        /// What was checked: a set, or `protocol` for the settings.
        public var subject: String
        /// What the check found.
        public var message: String

        public init(gate: String, subject: String, message: String) {
            (self.gate, self.subject, self.message) = (gate, subject, message)
        }
    }

    public init(label: String, spec: ExperimentSpec, findings: [Finding] = [], measured: [String: String] = [:]) {
        (self.label, self.spec, self.findings, self.measured) = (label, spec, findings, measured)
    }

    /// What follows from settings together: the samples that training sees, and lengths in seconds.
    var derived: [String: String] {
        let (data, train, hop) = (spec.data, spec.train, spec.transform.hopLength)
        func seconds(_ frames: Int) -> String {
            "\((Double((frames - 1) * hop) / Double(data.sampleRate) * 1000).rounded() / 1000) s"
        }
        var values = ["crop": seconds(data.numFrames), "batch": "\(train.effectiveBatch)"]
        if let steps = train.maxSteps, steps > 0 { values["samples"] = "\(steps * train.effectiveBatch)" }
        if let conditioning = spec.conditioning {
            values["conditioning.reference"] = seconds(conditioning.refNumFrames)
            let lengths = spec.evaluate.references.map { seconds($0.numFrames ?? conditioning.refNumFrames) }
            values["evaluate.reference.length"] = Set(lengths).sorted().joined(separator: ", ")
        }
        return values
    }
}
