import Audio
import Corpora
import Foundation
import SystemCalls

/// Which files `enhance` reads, and where what is made of them goes.
struct EnhancementFiles {
    /// A file that is to be enhanced.
    struct File: Sendable {
        /// Below the folder of the inputs; addresses its draws.
        var name: String
        var input: String
        var output: String
        /// The folder for its intermediate states.
        var states: String
        /// The clean file of the same name, where a folder of them was given.
        var clean: String?
    }

    private(set) var jobs: [File] = []
    /// Files that get no output, and why.
    private(set) var failed: [(file: String, reason: String)] = []

    /// - Parameters:
    ///   - input: A folder, with subfolders, or one file.
    ///   - output: A folder; for one file also the name of a `.wav` or `.flac` file.
    ///   - ownStates: Whether states are written, whose folders no other file may have.
    /// - Throws: `EnhancementInputError` where there is nothing to enhance, or no place for it; `CorpusError`.
    init(input: String, output: String, clean: String?, ownStates: Bool) throws {
        guard let isFolder = Self.isFolder(input) else {
            throw EnhancementInputError(problems: [(input, "no such file or folder")])
        }
        let cleanNames = try clean.map { NameIndex(try SoundFolder.files(in: $0)) }
        func partner(_ name: String) -> String? {
            guard let clean, let found = cleanNames?.partner(of: name) else { return nil }
            return clean + "/" + found.name
        }
        guard isFolder else {
            jobs = [try Self.single(input, output, clean: partner((input as NSString).lastPathComponent))]
            return
        }
        let statesFolder = FolderEnhancer.statesFolder(beside: output)
        try Self.check(output, for: input)
        let ownFolders = [output, statesFolder].map { Self.resolved($0) + "/" }
        let root = Self.resolved(input)
        let names = try SoundFolder.files(in: input, .any).filter { name in
            !ownFolders.contains { Self.resolved(root + "/" + name).hasPrefix($0) }
        }
        let states = ownStates ? Self.stateNames(Set(names)) : [:]
        var owners: [String: String] = [:]
        for name in names {
            let target = Self.outputName(name)
            if let owner = owners.updateValue(name, forKey: target) {
                owners[target] = owner
                failed.append((name, "its output would be \(target), which is that of \(owner); rename one"))
                continue
            }
            jobs.append(
                File(
                    name: name, input: input + "/" + name, output: output + "/" + target,
                    states: statesFolder + "/" + (states[name] ?? name), clean: partner(name)))
        }
        guard !names.isEmpty else {
            throw EnhancementInputError(problems: [(input, "holds no sound file, such as .wav or .flac")])
        }
    }

    /// One file, into a folder or to a name.
    private static func single(_ input: String, _ output: String, clean: String?) throws -> File {
        let name = (input as NSString).lastPathComponent
        let folder = (input as NSString).deletingLastPathComponent
        let isName = isName(output)
        if !isName { try check(output, for: folder.isEmpty ? "." : folder) }
        let target = isName ? output : output + "/" + outputName(name)
        guard resolved(target) != resolved(input) else {
            throw EnhancementInputError(
                problems: [(output, "is the input itself, which would be replaced; name another file or a folder")])
        }
        let all = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
        let beside = all.filter { SoundFolder.isSound($0) }
        let states = FolderEnhancer.statesFolder(beside: output)
        return File(
            name: name, input: input, output: target,
            states: isName ? states : states + "/" + (stateNames(Set(beside + [name]))[name] ?? name), clean: clean)
    }

    /// Whether an output is the name of a sound file, rather than a folder.
    static func isName(_ output: String) -> Bool {
        SoundFolder.isSound(output) && !output.hasSuffix("/") && isFolder(output) != true
    }

    /// What may not be the folder of the outputs.
    private static func check(_ output: String, for source: String) throws {
        guard resolved(source) != resolved(output) else {
            throw EnhancementInputError(
                problems: [(output, "is the folder of the inputs, which would be replaced; name another")])
        }
        guard isFolder(output) != false else {
            throw EnhancementInputError(problems: [(output, "is a file, and enhanced files go into a folder; name one")]
            )
        }
    }

    /// A name that can be written: FLAC stays FLAC, everything else becomes WAV.
    private static func outputName(_ name: String) -> String {
        SoundFolder.isSound(name) ? name : (name as NSString).deletingPathExtension + ".wav"
    }

    /// The folder of each file's states: its name without the end, or the whole where that would be another's folder
    /// too.
    private static func stateNames(_ names: Set<String>) -> [String: String] {
        func stem(_ name: String) -> String { (name as NSString).deletingPathExtension }
        let sharing = Dictionary(grouping: names, by: stem)
        return Dictionary(
            uniqueKeysWithValues: names.map { name in
                let own = stem(name)
                let isAlone = sharing[own]?.count == 1 && !names.contains(own)
                return (name, isAlone ? own : name)
            })
    }

    /// `nil` where nothing is there.
    private static func isFolder(_ path: String) -> Bool? {
        FileFacts(at: path).map { $0.kind == .folder }
    }

    private static func resolved(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
    }
}
