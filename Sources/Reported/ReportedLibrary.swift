import Foundation
public import SpecLanguage

/// What all sources report, and where two of them disagree.
public struct ReportedLibrary: Sendable {
    /// In the order of their paths.
    public let files: [ReportedFile]
    /// Those of all files, in the order of the files.
    public var figures: [PaperFigures] { files.flatMap(\.figures) }

    public init(_ files: [ReportedFile]) { self.files = files }

    /// Reads every YAML file of a folder.
    ///
    /// - Throws: `SpecErrors` with the mistakes of all files.
    public init(folder: String, files source: SpecFiles = .disk) throws(SpecErrors) {
        var (files, errors): ([ReportedFile], [SpecError]) = ([], [])
        for path in try DeclarationFolder.files(of: folder, in: source) {
            do throws(SpecErrors) {
                files.append(try ReportedFile(text: try DeclarationFolder.text(of: path, in: source), file: path))
            } catch {
                errors += error.all
            }
        }
        if !errors.isEmpty { throw SpecErrors(errors) }
        self.init(files)
    }

    /// What `paper` reports of a system, where it reports it at all.
    public func figures(of system: String, in paper: String, set: String, conditions: String?) -> PaperFigures? {
        figures.first {
            $0.paper == paper && $0.system == system && $0.set == set
                && (conditions == nil || $0.conditions == conditions)
        }
    }

    /// One figure with two values.
    public struct Contradiction: Hashable, Sendable, CustomStringConvertible {
        /// The metric whose two values differ.
        public var metric: String
        /// The figure of the file that was read first.
        public var first: PaperFigures
        /// The figure that disagrees with it.
        public var second: PaperFigures

        public var description: String {
            """
            \(second.place): \(second.system) on \(second.set): \(metric) is \(text(second)) here, and \(text(first)) \
            at \(first.place)
            """
        }

        private func text(_ figures: PaperFigures) -> String {
            figures.values[metric].map { "\($0.value)" } ?? "none"
        }
    }

    /// The figures that two places report with values which no rounding explains.
    public var contradictions: [Contradiction] {
        struct Key: Hashable {
            var system: String
            var set: String
            var conditions: String
            var steps: Int?
        }
        var found: [Contradiction] = []
        let groups = Dictionary(grouping: figures) {
            Key(system: $0.system, set: $0.set, conditions: $0.conditions, steps: $0.steps)
        }
        for group in groups.values where group.count > 1 {
            for (place, second) in group.enumerated().dropFirst() {
                for (metric, value) in second.values {
                    guard let first = group[..<place].first(where: { $0.values[metric] != nil }),
                        first.values[metric].map({ !$0.agrees(with: value) }) ?? false
                    else { continue }
                    found.append(Contradiction(metric: metric, first: first, second: second))
                }
            }
        }
        return found.sorted { ($0.second.place, $0.metric) < ($1.second.place, $1.metric) }
    }
}

/// The YAML files of a folder of declarations.
package enum DeclarationFolder {
    package static func files(of folder: String, in source: SpecFiles = .disk) throws(SpecErrors) -> [String] {
        let names = source.list(folder)
        if names.isEmpty {
            throw SpecErrors([
                SpecError(
                    "missing-file", at: Mark(file: folder, line: 1, column: 1, text: ""),
                    "there is no such folder, or nothing is in it")
            ])
        }
        return names.filter { !$0.hasPrefix(".") && ($0.hasSuffix(".yaml") || $0.hasSuffix(".yml")) }.sorted().map {
            folder + "/" + $0
        }
    }

    package static func text(of path: String, in source: SpecFiles = .disk) throws(SpecErrors) -> String {
        do {
            return try source.read(path)
        } catch {
            throw SpecErrors([SpecError("missing-file", at: Mark(file: path, line: 1, column: 1, text: ""), "\(error)")]
            )
        }
    }
}
