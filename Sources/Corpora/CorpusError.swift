public import Failures

/// Why a corpus cannot be used, where, and what to do about it.
public struct CorpusError: Diagnostic, Hashable, Sendable {
    /// What is wrong with the folder or file; associated texts give the details that the message prints.
    public enum Reason: Hashable, Sendable {
        /// The folder does not exist.
        case missingFolder
        /// A published corpus that is not at its path yet; the text says how to get it.
        case notThere(String)
        /// No subfolder holds a pair of folders.
        case noSets
        /// There is no set of this name; the sets there are.
        case unknownSet(String, known: [String])
        /// A set without a single pair.
        case emptySet(String)
        /// Another file of the folder has the same name in Unicode, and other bytes.
        case sameName
        /// The bytes of the name are no UTF-8.
        case badName
        /// A table with a syntax error; the line and the error.
        case badTable(line: Int, String)
        /// A table in an unsupported encoding; the encoding that it seems to have.
        case badEncoding(String)
        /// A zip archive that cannot be read; why.
        case badArchive(String)
        /// The folder already holds something else; what differs.
        case occupied(String)
        /// A recipe cannot be followed with the parameters or files given.
        case impossible(String)
        /// A folder that cannot be listed; the system's message.
        case unreadable(String)
        /// The disk failed; the system's message.
        case disk(String)
    }

    /// The folder or file.
    public var path: String
    /// What is wrong; decides ``summary`` and ``hint``.
    public var reason: Reason

    public init(_ path: String, _ reason: Reason) {
        self.path = path
        self.reason = reason
    }

    public var summary: String {
        switch reason {
        case .missingFolder: "no such folder"
        case .notThere: "the corpus is not there"
        case .noSets: "holds no data set: no folder in it has both clean and noisy, or anechoic and reverb"
        case .unknownSet(let name, let known): "has no set '\(name)'; it has \(known.joined(separator: ", "))"
        case .emptySet(let name): "the set '\(name)' has no pair of .wav or .flac files"
        case .sameName: "two files have this name in Unicode, spelt with different bytes"
        case .badName: "the name is not UTF-8 text"
        case .badTable(let line, let what): "line \(line): \(what)"
        case .badEncoding(let what): "is \(what)"
        case .badArchive(let why): "cannot be read as a zip archive: \(why)"
        case .occupied(let what): "is in use: \(what)"
        case .impossible(let what): what
        case .unreadable(let why): "cannot be read: \(why)"
        case .disk(let why): why
        }
    }

    public var hint: String? {
        switch reason {
        case .missingFolder: "check the path, and that the disk is mounted"
        case .notThere(let advice): advice
        case .noSets: "expected base_dir/{train,valid,test}/{clean,noisy}/*.wav or .flac"
        case .unknownSet: "name one of these sets in the spec"
        case .emptySet: "put the files in, or leave the set out of the spec"
        case .sameName: "rename or remove one of them"
        case .badName: "rename the file, with convmv or by hand"
        case .badTable: "correct the line, or remove the table"
        case .badEncoding: "save the table as UTF-8, as spreadsheets do under 'CSV UTF-8'"
        case .badArchive: "copy or download the archive again, or unpack it and name the folder"
        case .occupied: "choose another folder, or remove this one"
        case .impossible: "change the parameters of the recipe"
        case .unreadable: "give yourself the right to read it (chmod u+rx), or move it away"
        case .disk: "free space on the disk or choose a folder that can be written"
        }
    }

    public var place: String? { path }
    public var category: FailureCategory {
        switch reason {
        case .disk, .unreadable: .machine
        default: .data
        }
    }

    public var description: String { line }
}
