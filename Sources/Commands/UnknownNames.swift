import ArgumentParser
import SpecLanguage
import Specs

extension ValidationError {
    /// - Throws: A usage error for the first name that is not known, with the nearest one.
    static func check(_ names: [String], _ noun: String, among known: [String], none: String = "none is known") throws {
        guard let wrong = names.first(where: { !known.contains($0) }) else { return }
        let all = Set(known).sorted()
        let hint =
            nearest(to: wrong, among: all).map { "did you mean '\($0)'?" }
            ?? (all.isEmpty ? none : "known: \(all.joined(separator: ", "))")
        throw ValidationError("unknown \(noun) '\(wrong)'; \(hint)")
    }
}
