import Foundation

/// The names in a folder, in the file system's order: `opendir(3)` and `readdir(3)`.
package struct FolderListing: Sendable {
    package struct Entry: Sendable {
        /// The bytes of the name, which need not be UTF-8.
        package var name: [UInt8]
        /// `DT_DIR`, `DT_REG` …, or `DT_UNKNOWN` where the file system does not say.
        package var type: UInt8
    }

    package var folder: FileFacts
    /// All that the system lists, `.` and `..` too.
    package var entries: [Entry] = []

    /// nil with the reason in `errno`.
    package init?(at path: String) {
        guard let stream = unsafe opendir(path) else { return nil }
        defer { unsafe closedir(stream) }
        guard let folder = unsafe FileFacts(of: dirfd(stream)) else { return nil }
        self.folder = folder
        while let item = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &item.pointee.d_name) { unsafe Array($0.prefix { $0 != 0 }) }
            unsafe entries.append(Entry(name: name, type: item.pointee.d_type))
        }
    }
}
