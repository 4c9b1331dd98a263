import AtomicFiles

/// A file of weights that is being written: a pending file whose errors have a hint.
struct ByteSink: ~Copyable {
    let path: String
    var count: Int { file.count }
    private var file: PendingFile

    init(path: String) throws(WeightFileError) {
        self.path = path
        do { file = try PendingFile(at: path) } catch { throw Self.failure(error) }
    }

    private static func failure(_ error: FileFailure) -> WeightFileError {
        WeightFileError(
            .unwritable, file: error.path, error.reason,
            hint: "free space on the disk, or choose a folder that can be written; the same command goes on from there")
    }

    mutating func write(_ bytes: [UInt8]) throws(WeightFileError) {
        do { try file.write(bytes) } catch { throw Self.failure(error) }
    }

    /// Flushes the file, gives it its name, and flushes the folder that holds the name.
    consuming func commit() throws(WeightFileError) {
        do { try file.commit() } catch { throw Self.failure(error) }
    }
}

extension FixedWidthInteger {
    var littleEndianBytes: [UInt8] { (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: self >> (8 * $0)) } }
}
