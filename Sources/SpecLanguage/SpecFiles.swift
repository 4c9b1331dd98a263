import Foundation

/// Where specs are read from: the file system with the library of experiments, or a table in a test.
public struct SpecFiles: Sendable {
    /// The text of a file.
    public var read: @Sendable (_ path: String) throws -> String
    /// The names in a folder, to suggest one that exists.
    public var list: @Sendable (_ folder: String) -> [String]

    public init(
        read: @escaping @Sendable (_ path: String) throws -> String,
        list: @escaping @Sendable (_ folder: String) -> [String] = { _ in [] }
    ) {
        self.read = read
        self.list = list
    }

    /// A file that cannot be used, in words.
    public struct Unreadable: Error, CustomStringConvertible {
        public var description: String
    }

    /// The file system alone.
    public static let disk = disk(library: nil)

    /// The file system, with the folder that `sgmse:` means in paths.
    public static func disk(library: String?) -> SpecFiles {
        SpecFiles(
            read: { path in
                guard let rest = FilePath.inLibrary(path) else { return try text(ofFile: path) }
                guard let library else {
                    throw Unreadable(
                        description: "this program has no library of experiments; SGMSE_EXPERIMENTS names one")
                }
                return try text(ofFile: library + "/" + rest)
            },
            list: { folder in
                let path = FilePath.inLibrary(folder).map { (library ?? "") + "/" + $0 } ?? folder
                return (try? FileManager.default.contentsOfDirectory(atPath: path.isEmpty ? "." : path)) ?? []
            })
    }

    private static func text(ofFile path: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            let exists = FileManager.default.fileExists(atPath: path)
            throw Unreadable(description: exists ? "it cannot be read" : "there is no such file")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw Unreadable(description: "it is not UTF-8 text")
        }
        return text
    }

    /// Files by path, for tests and examples.
    public static func table(_ texts: [String: String]) -> SpecFiles {
        SpecFiles(
            read: { path in
                guard let text = texts[path] else { throw Unreadable(description: "there is no such file") }
                return text
            },
            list: { folder in
                let prefix = folder.isEmpty ? "" : folder + "/"
                return texts.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }.sorted()
            })
    }
}

/// Paths as text, so that a table of files works like a folder. `sgmse:base/16k.yaml` is a file of the library.
package enum FilePath {
    /// What paths into the library begin with.
    package static let library = "sgmse:"

    /// The path below the library's folder; `nil` for other paths.
    package static func inLibrary(_ path: String) -> String? {
        path.hasPrefix(library) ? String(path.dropFirst(library.count)) : nil
    }

    package static func folder(of path: String) -> String {
        if let rest = inLibrary(path) { return library + folder(of: rest) }
        return path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? ""
    }

    /// The file's name without folders and extension.
    package static func stem(of path: String) -> String {
        let name = (inLibrary(path) ?? path).split(separator: "/").last.map(String.init) ?? path
        return name.lastIndex(of: ".").map { $0 == name.startIndex ? name : String(name[..<$0]) } ?? name
    }

    /// `other` as seen from `folder`, without `.` and `..` where they can be resolved.
    package static func joined(_ folder: String, _ other: String) -> String {
        if let rest = inLibrary(other) { return library + joined("", rest) }
        if let base = inLibrary(folder), !other.hasPrefix("/") { return library + joined(base, other) }
        let whole = other.hasPrefix("/") || folder.isEmpty ? other : folder + "/" + other
        var parts: [Substring] = []
        for part in whole.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
        }
        return (whole.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }
}
