import Foundation

/// A file in the making: written under a temporary name and renamed when it is whole.
///
/// Dropped before ``commit()``, it removes what it wrote, so a reader never meets half a file.
struct ByteSink: ~Copyable {
    let path: String
    private(set) var count = 0
    private let temporary: String
    private let descriptor: Int32

    init(path: String) throws(WeightFileError) {
        self.path = path
        temporary = "\(path).\(getpid())-\(UInt32.random(in: 0 ... .max)).part"
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw Self.failure(path)
        }
    }

    private static func failure(_ path: String) -> WeightFileError {
        WeightFileError(
            .unwritable, file: path, ByteSource.lastError(),
            hint: "free space on the disk, or choose a folder that can be written; the same command goes on from there")
    }

    mutating func write(_ bytes: [UInt8]) throws(WeightFileError) {
        var written = 0
        while written < bytes.count {
            let got = bytes.withUnsafeBytes {
                #if canImport(Glibc)
                    Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written)
                #else
                    Darwin.write(descriptor, $0.baseAddress! + written, $0.count - written)
                #endif
            }
            guard got > 0 else {
                throw Self.failure(path)
            }
            written += got
        }
        count += written
    }

    /// Flushes the file, gives it its name, and flushes the folder that holds the name.
    consuming func commit() throws(WeightFileError) {
        guard fsync(descriptor) == 0, rename(temporary, path) == 0 else {
            throw Self.failure(path)
        }
        let folder = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }  // a folder that may be written but not read
        defer { close(folder) }
        guard fsync(folder) == 0 || errno == EINVAL else {
            throw Self.failure(path)
        }
    }

    deinit {
        close(descriptor)
        unlink(temporary)  // gone already after a commit
    }
}

extension FixedWidthInteger {
    var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}
