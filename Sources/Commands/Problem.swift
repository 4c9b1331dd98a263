import Corpora
import Experiments
import Failures
import Gates
import JSONValues
import Reports
import SpecLanguage
import Specs

/// Something wrong with a spec or its data as JSON: one shape for mistakes, warnings and findings alike.
///
/// What does not apply is null, and `files` is empty.
struct Problem {
    var code: String
    var severity: String
    var mark: Mark?
    /// The spec, where no place in it is known.
    var spec: String?
    /// The setting concerned.
    var path: String?
    /// The data set concerned, or `protocol`.
    var set: String?
    var message: String
    var hint: String?
    /// The audio files concerned.
    var files: [String] = []

    var json: Reports.JSON {
        func text(_ value: String?) -> Reports.JSON { value.map(Reports.JSON.string) ?? .null }
        return [
            "code": .string(code), "severity": .string(severity), "file": text(mark?.file ?? spec),
            "line": mark.map { .integer($0.line) } ?? .null, "column": mark.map { .integer($0.column) } ?? .null,
            "text": text(mark?.text), "path": text(path), "set": text(set), "message": .string(message),
            "hint": text(hint),
            "files": .array(files.map(Reports.JSON.string)),
        ]
    }
}

extension Problem {
    init(_ error: SpecError) {
        self.init(
            code: error.code, severity: error.severity.rawValue, mark: error.mark, message: error.summary,
            hint: error.hint)
    }

    init(_ finding: Finding, of spec: String?) {
        self.init(
            code: finding.code.rawValue, severity: finding.severity.rawValue, spec: spec, set: finding.set,
            message: finding.message,
            hint: finding.fix, files: finding.files)
    }

    /// Each mistake of an error as a problem.
    static func all(of error: any Error, spec: String?) -> [Problem] {
        switch error {
        case let error as SpecErrors: return error.all.map { Problem($0) }
        case let error as GateFailure: return error.findings.map { Problem($0, of: spec) }
        case let error as IncompleteSpec:
            return error.settings.sorted { $0.key < $1.key }.map {
                Problem(
                    code: "incomplete", severity: "error", spec: error.file, path: $0.key,
                    message: "not known: \($0.value)",
                    hint: IncompleteSpec.advice)
            }
        case let error as any Diagnostic:
            return [
                Problem(
                    code: "error", severity: "error", spec: error.place ?? spec, message: error.summary,
                    hint: error.hint)
            ]
        default:
            let text = "\(error)"
            return [
                Problem(
                    code: "error", severity: "error", spec: spec,
                    message: text.hasPrefix("error: ") ? String(text.dropFirst(7)) : text)
            ]
        }
    }
}
