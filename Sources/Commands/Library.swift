import Experiments
import Foundation
import Installation
import Models
import SpecLanguage
import Specs

/// The library of experiments that came with this program.
enum Library {
    /// The files of this program; SGMSE_EXPERIMENTS names another library.
    static let installed: InstalledFiles = {
        let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let library = environmentVariable("SGMSE_EXPERIMENTS").flatMap { $0.isEmpty ? nil : $0 }
        return InstalledFiles(ofProgramAt: program ?? CommandLine.arguments[0], experiments: library)
    }()

    /// The file system, with the library as `sgmse:`.
    static let files = SpecFiles.disk(library: installed.experiments)

    /// Reads specs, with the library and the variables of the environment.
    static let loader = SpecLoader(
        vocabulary: Catalog.standard.vocabulary, files: files, environment: environmentVariable)

    /// The spec of a name: a file, or else one of the library, which `quickstart`,
    /// `quickstart.yaml` and `sgmse:quickstart.yaml` name; `name` itself where there is neither.
    static func file(of name: String) -> String {
        guard !FileManager.default.fileExists(atPath: name) else { return name }
        return spec(name) ?? name
    }

    /// The path in the library of the spec `name`; `nil` where it has none of that name.
    static func spec(_ name: String) -> String? {
        guard let folder = installed.experiments, !name.hasPrefix("/"), !name.isEmpty else { return nil }
        let path = FilePath.joined("", FilePath.inLibrary(name) ?? name)
        let file = path.hasSuffix(".yaml") ? path : path + ".yaml"
        return FileManager.default.fileExists(atPath: folder + "/" + file) ? FilePath.library + file : nil
    }

    /// Folders of the library whose files are no experiments.
    private static let declarations = ["corpora/recipes/", "investigations/", "protocols/", "reported/", "tables/"]

    /// The library's experiments with their titles, by name.
    static var entries: [EntryDescriptor] {
        guard let folder = installed.experiments else { return [] }
        let paths = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return paths.sorted().compactMap { path in
            guard path.hasSuffix(".yaml"), !declarations.contains(where: path.hasPrefix),
                let text = try? files.read(FilePath.library + path)
            else { return nil }
            let title = YAMLReader.read(text, file: path).node?["title"]?.text ?? ""
            return EntryDescriptor(String(path.dropLast(5)), title, facts: ())
        }
    }

    /// A folder of the library that a command reads: the one of that name below `experiments` of the working folder
    /// where there is one.
    static func folder(_ name: String) -> String {
        let own = "experiments/" + name
        let isOwn = installed.experiments == nil || FileManager.default.fileExists(atPath: own)
        return isOwn ? own : FilePath.library + name
    }
}
