import Foundation

/// One set of a corpus, such as `test`: its pairs in the order of their names.
public struct PairedSet: Hashable, Sendable {
    public var name: String
    public var path: String
    public var layout: Layout
    /// Sorted by name, byte by byte.
    public var files: [PairedFile]
    /// Files without a partner, as `folder/name`.
    public var unpaired: [String]
    /// Rows of the manifest that name no pair.
    public var strayEntries: [String]

    /// Finds the pairs below `path/clean` and `path/noisy` (or `anechoic` and `reverb`), nested folders included, and
    /// joins `path/manifest.csv` if there is one. Hidden files are not looked at.
    ///
    /// - Throws: ``CorpusError``, if the folders are missing or the manifest is not a table.
    public init(at path: String, name: String? = nil) throws(CorpusError) {
        guard FileManager.default.fileExists(atPath: path) else { throw CorpusError(path, .missingFolder) }
        guard let layout = Self.layout(of: path) else { throw CorpusError(path, .noSets) }
        let (cleanRoot, noisyRoot) = ("\(path)/\(layout.cleanFolder)", "\(path)/\(layout.noisyFolder)")
        let clean = try soundFiles(below: cleanRoot)
        let noisy = try soundFiles(below: noisyRoot)
        let (cleanNames, noisyNames) = (Set(clean), Set(noisy))
        let manifestPath = "\(path)/\(Manifest.fileName)"
        var manifest = try Manifest(contentsOf: manifestPath)

        self.name = name ?? URL(fileURLWithPath: path).lastPathComponent
        self.path = path
        self.layout = layout
        files = clean.filter(noisyNames.contains).map { name in
            PairedFile(
                name: name, cleanPath: "\(cleanRoot)/\(name)", noisyPath: "\(noisyRoot)/\(name)",
                entry: manifest?.take(name))
        }
        unpaired =
            clean.filter { !noisyNames.contains($0) }.map { "\(layout.cleanFolder)/\($0)" }
            + noisy.filter { !cleanNames.contains($0) }.map { "\(layout.noisyFolder)/\($0)" }
        strayEntries = manifest.map { $0.entries.keys.sorted() } ?? []
    }

    /// The layout of a folder, if it has both subfolders of one.
    static func layout(of path: String) -> Layout? {
        Layout.allCases.first { layout in
            [layout.cleanFolder, layout.noisyFolder].allSatisfy { folder in
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: "\(path)/\(folder)", isDirectory: &isFolder)
                    && isFolder.boolValue
            }
        }
    }
}

/// The paths of all `.wav` files below a folder, relative to it, sorted byte by byte; links are followed.
func soundFiles(below root: String) throws(CorpusError) -> [String] {
    var found: [String] = []
    var folders: [(prefix: String, depth: Int)] = [("", 0)]
    while let (prefix, depth) = folders.popLast() {
        guard let stream = opendir("\(root)/\(prefix)") else {
            throw CorpusError("\(root)/\(prefix)", .disk(String(cString: strerror(errno))))
        }
        defer { closedir(stream) }
        while let item = readdir(stream) {
            let name = withUnsafePointer(to: &item.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(item.pointee.d_reclen)) { String(cString: $0) }
            }
            guard !name.hasPrefix(".") else { continue }
            let path = prefix + name
            if isFolder(item.pointee.d_type, "\(root)/\(path)") {
                if depth < 16 { folders.append((path + "/", depth + 1)) }  // a link may lead back up
            } else if name.hasSuffix(".wav") || name.hasSuffix(".WAV") {
                found.append(path)
            }
        }
    }
    return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}

private func isFolder(_ type: UInt8, _ path: String) -> Bool {
    guard type == DT_LNK || type == DT_UNKNOWN else { return type == DT_DIR }
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}
