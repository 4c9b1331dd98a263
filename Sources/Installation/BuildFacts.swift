import CBuildStamp

/// Which program this is.
public enum BuildFacts {
    /// The version of the program, its manual pages and its packages. It is written here only.
    public static let version = "0.1.0"

    /// The commit that the program was built from; `nil` where no script of the repository wrote it into the program.
    public static let stamp = BuildStamp(unsafe String(cString: sg_build_stamp()))

    /// `release` or `debug`.
    public static var configuration: String {
        #if DEBUG
            "debug"
        #else
            "release"
        #endif
    }
}

/// The commit and the compiler of a build.
public struct BuildStamp: Hashable, Sendable {
    /// 40 hexadecimal digits.
    public var commit: String
    /// Whether files under version control differed from that commit.
    public var hasChanges: Bool
    /// The day of the commit, as `2026-11-26`.
    public var date: String
    /// The version of Swift, as `6.3.1`.
    public var compiler: String

    /// Reads `COMMIT[+changes] DATE SWIFT`.
    ///
    /// - Returns: `nil` for any other text, and so for a program without a stamp.
    public init?(_ text: String) {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 3 else { return nil }
        hasChanges = words[0].hasSuffix("+changes")
        commit = hasChanges ? String(words[0].dropLast(8)) : words[0]
        (date, compiler) = (words[1], words[2])
        guard commit.count == 40, commit.allSatisfy(\.isHexDigit) else { return nil }
    }
}
