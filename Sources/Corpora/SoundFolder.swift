import Foundation

/// The sound files below a folder.
public enum SoundFolder {
    /// Paths relative to `folder`, sorted; `.wav` and `.flac`.
    public static func files(in folder: String) throws(CorpusError) -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
            throw CorpusError(folder, .missingFolder)
        }
        let all = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return all.filter { ["wav", "flac"].contains(($0 as NSString).pathExtension.lowercased()) }.sorted()
    }
}
