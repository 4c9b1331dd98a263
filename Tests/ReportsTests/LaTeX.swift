import Foundation

/// Documents that hold a table, as journals and conferences set them.
enum LaTeX {
    private static let program = "/usr/bin/pdflatex"
    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: program) }

    /// A page of one column, of two, of the IEEE (where its class is installed), and of Interspeech's two columns of 80
    /// mm.
    static var pages: [String] {
        let interspeech = """
            \\documentclass[twocolumn,a4paper]{article}
            \\usepackage[textwidth=170mm,textheight=235mm,columnsep=10mm]{geometry}
            """
        let standard = ["\\documentclass{article}", "\\documentclass[twocolumn]{article}"]
        return standard + (has("geometry.sty") ? [interspeech] : [])
            + (has("IEEEtran.cls") ? ["\\documentclass[conference]{IEEEtran}"] : [])
    }

    private static func has(_ file: String) -> Bool { (try? run("/usr/bin/kpsewhich", [file], in: "/")) == 0 }

    /// Sets a document; returns the lines of its log that tell of an error or of something wider than its place.
    static func complaints(of page: String, _ table: String, in folder: String) throws -> [String] {
        let text = page + "\n\\usepackage{booktabs,graphicx}\n\\begin{document}\n\(table)\\end{document}\n"
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/t.tex"))
        let code = try run(program, ["-interaction=nonstopmode", "-halt-on-error", "t.tex"], in: folder)
        let log = String(decoding: try Data(contentsOf: URL(fileURLWithPath: folder + "/t.log")), as: UTF8.self)
        let lines = log.split(separator: "\n").map(String.init).filter {
            $0.hasPrefix("!") || $0.hasPrefix("Overfull \\hbox")
        }
        return lines.isEmpty && code != 0 ? ["pdflatex ended with \(code)"] : lines
    }

    private static func run(_ path: String, _ arguments: [String], in folder: String) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
