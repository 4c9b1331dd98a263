import Foundation
import SystemCalls

/// The files below one folder, reached part by part and through no symbolic link.
struct FilesBelow: Sendable {
    let folder: String

    enum Entry: Equatable {
        case file(bytes: Int, changed: Date)
        case folder(changed: Date)
        /// A symbolic link or a special file, or a place behind one.
        case other
        case absent
    }

    /// Whether `path` is a file, a folder, something else, or absent; links are not followed.
    func entry(_ path: RelativePath) -> Entry {
        (try? parent(of: path) { parent, name -> Entry in
            guard let facts = FileFacts(of: name, in: parent) else { return .absent }
            let changed = Date(timeIntervalSince1970: Double(facts.seconds))
            return switch facts.kind {
            case .file: .file(bytes: facts.bytes, changed: changed)
            case .folder: .folder(changed: changed)
            case .other: .other
            }
        }) ?? .absent
    }

    /// Deletes a regular file, and the folders above it that become empty.
    ///
    /// - Returns: The bytes that it had; nil where there was no regular file to delete.
    func delete(_ path: RelativePath) throws(StoreError) -> Int? {
        guard case .file(let bytes, _) = entry(path) else { return nil }
        let code = (try? parent(of: path) { POSIX.unlinkat($0, $1, 0) == 0 ? 0 : errno }) ?? ENOENT
        guard code == 0 || code == ENOENT else {
            throw StoreError(
                .readOnly, at: folder + "/" + path.text,
                "the file cannot be deleted (\(POSIX.message(code)))",
                hint: "allow writing to its folder")
        }
        var parts = path.parts.dropLast()
        while let above = RelativePath(parts.joined(separator: "/")), removeEmptyFolder(above) {
            parts = parts.dropLast()
        }
        return code == 0 ? bytes : nil
    }

    /// Removes the folder at `path` if there is nothing in it.
    @discardableResult
    func removeEmptyFolder(_ path: RelativePath) -> Bool {
        (try? parent(of: path) { POSIX.unlinkat($0, $1, AT_REMOVEDIR) == 0 }) ?? false
    }

    /// The regular files below `path`, at any depth; neither links nor what is behind them.
    func files(below path: String) -> [String] {
        guard let place = RelativePath(path), case .folder = entry(place) else { return [] }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder + "/" + path)) ?? []).sorted()
        return names.flatMap { name -> [String] in
            guard let inner = RelativePath(path + "/" + name) else { return [] }
            return switch entry(inner) {
            case .file: [inner.text]
            case .folder: files(below: inner.text)
            case .other, .absent: []
            }
        }
    }

    /// Calls `body` with the open folder that holds `path`, and the last part of `path`.
    ///
    /// - Throws: `CocoaError` where a part on the way is no folder.
    private func parent<Value>(of path: RelativePath, _ body: (Int32, String) throws -> Value) throws -> Value {
        let parts = path.parts
        var place = POSIX.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if place >= 0 { close(place) } }
        for part in parts.dropLast() where place >= 0 {
            let next = POSIX.openat(place, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            close(place)
            place = next
        }
        guard place >= 0, let last = parts.last else { throw CocoaError(.fileNoSuchFile) }
        return try body(place, last)
    }
}
