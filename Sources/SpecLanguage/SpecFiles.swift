import Foundation

/// Where specs are read from: the file system, or a table in a test.
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

    public static let disk = SpecFiles(
        read: { path in
            guard let data = FileManager.default.contents(atPath: path) else {
                let exists = FileManager.default.fileExists(atPath: path)
                throw Unreadable(description: exists ? "it cannot be read" : "there is no such file")
            }
            guard let text = String(validating: data, as: UTF8.self) else {
                throw Unreadable(description: "it is not UTF-8 text")
            }
            return text
        },
        list: { (try? FileManager.default.contentsOfDirectory(atPath: $0.isEmpty ? "." : $0)) ?? [] })

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

/// Paths as text, so that a table of files works like a folder.
package enum FilePath {
    package static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? ""
    }

    /// The file's name without folders and extension.
    package static func stem(of path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return name.lastIndex(of: ".").map { $0 == name.startIndex ? name : String(name[..<$0]) } ?? name
    }

    /// `other` as seen from `folder`, without `.` and `..` where they can be resolved.
    package static func joined(_ folder: String, _ other: String) -> String {
        let whole = other.hasPrefix("/") || folder.isEmpty ? other : folder + "/" + other
        var parts: [Substring] = []
        for part in whole.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
        }
        return (whole.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }
}
