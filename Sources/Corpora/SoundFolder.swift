import Foundation

/// The sound files of a folder and of all folders in it.
public enum SoundFolder {
    /// Paths relative to `folder`, sorted; `.wav` and `.flac`.
    ///
    /// - Throws: `CorpusError` where there is no such folder.
    public static func files(in folder: String) throws(CorpusError) -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
            throw CorpusError(folder, .missingFolder)
        }
        let all = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return all.filter(isSound).sorted()
    }

    /// Whether a name ends like that of a sound file.
    public static func isSound(_ path: String) -> Bool {
        ["wav", "flac"].contains((path as NSString).pathExtension.lowercased())
    }
}
