import Foundation

/// The names of unfinished files and folders: `.sgmse-part-<16 hexadecimal digits>-<name>`, beside their final path.
///
/// Every file that this program has not finished has such a name, and no other file has: a file with this name may be
/// removed.
public enum TemporaryName {
    /// The beginning of every temporary name.
    public static let prefix = ".sgmse-part-"
    /// Bytes of the final name that are kept: file systems take names of 255 bytes.
    private static let longest = 200

    /// A new path beside `path`, which no other writer uses.
    public static func path(for path: String) -> String {
        let (folder, name) = ((path as NSString).deletingLastPathComponent, (path as NSString).lastPathComponent)
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        let number = String(repeating: "0", count: 16 - digits.count) + digits
        let kept = String(decoding: Array(name.utf8.prefix(longest)), as: UTF8.self)
        return (folder as NSString).appendingPathComponent("\(prefix)\(number)-\(kept)")
    }

    /// Whether the name is that of an unfinished file or folder of this program.
    public static func isTemporary(_ name: String) -> Bool {
        guard name.hasPrefix(prefix) else { return false }
        let rest = name.utf8.dropFirst(prefix.utf8.count)
        let digits = rest.prefix(16)
        return digits.count == 16 && digits.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
            && rest.dropFirst(16).first == UInt8(ascii: "-")
    }
}
