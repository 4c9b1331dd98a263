import Foundation

extension POSIX {
    /// Raises the number of files that this process may have open to the most that it may ask for: `setrlimit(2)`.
    package static func allowMoreOpenFiles() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// `open(2)`.
    package static func open(_ path: String, _ flags: Int32, _ mode: UInt32 = 0) -> Int32 {
        unsafe Foundation.open(path, flags, mode_t(mode))
    }

    /// `openat(2)`: a name in an open folder.
    package static func openat(_ folder: Int32, _ name: String, _ flags: Int32) -> Int32 {
        unsafe Foundation.openat(folder, name, flags)
    }

    /// `write(2)`: how many of the bytes were written.
    package static func write(_ descriptor: Int32, _ bytes: Span<UInt8>) -> Int {
        unsafe bytes.withUnsafeBufferPointer { unsafe Foundation.write(descriptor, $0.baseAddress, $0.count) }
    }

    /// Writes all samples at a byte of a file, with as many calls of `pwrite(2)` as it takes; false where one fails.
    package static func pwrite(_ descriptor: Int32, _ samples: Span<Float>, at offset: Int) -> Bool {
        unsafe samples.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let step = unsafe Foundation.pwrite(
                    descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
                guard step > 0 else { return false }
                done += step
            }
            return true
        }
    }

    /// `read(2)` into an array from an index on: how many bytes came.
    ///
    /// - Precondition: `start` lies in the array, or at its end.
    package static func read(_ descriptor: Int32, into buffer: inout [UInt8], from start: Int = 0) -> Int {
        precondition((0...buffer.count).contains(start), "byte \(start) of a buffer of \(buffer.count)")
        return unsafe buffer.withUnsafeMutableBytes { bytes in
            guard let first = bytes.baseAddress else { return 0 }
            return unsafe Foundation.read(descriptor, first + start, bytes.count - start)
        }
    }

    /// Bytes from a place of a file on, with as many calls of `pread(2)` as it takes: fewer where the file ends, or a
    /// call fails.
    package static func pread(_ descriptor: Int32, count: Int, at offset: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { bytes, filled in
            filled = unsafe fill(UnsafeMutableRawBufferPointer(bytes), count, descriptor, offset)
        }
    }

    /// Samples in the machine's order of bytes, as ``pread(_:count:at:)``.
    package static func preadSamples(_ descriptor: Int32, count: Int, at offset: Int) -> [Float] {
        let size = MemoryLayout<Float>.size
        return unsafe [Float](unsafeUninitializedCapacity: count) { samples, filled in
            filled = unsafe fill(UnsafeMutableRawBufferPointer(samples), size * count, descriptor, offset) / size
        }
    }

    private static func fill(
        _ bytes: UnsafeMutableRawBufferPointer, _ count: Int, _ descriptor: Int32, _ offset: Int
    ) -> Int {
        var done = 0
        while done < count {
            let step = unsafe Foundation.pread(
                descriptor, bytes.baseAddress! + done, count - done, off_t(offset + done))
            guard step > 0 else { break }
            done += step
        }
        return done
    }

    /// Waits until a descriptor takes more, or for so many milliseconds: `poll(2)`.
    package static func waitUntilWritable(_ descriptor: Int32, milliseconds: Int32) {
        var one = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&one, 1, milliseconds)
    }

    /// The size of a terminal, in characters; nil for what is none, or does not say: `ioctl(2)` with `TIOCGWINSZ`.
    package static func terminalSize(_ descriptor: Int32) -> (columns: Int, rows: Int)? {
        var size = winsize()
        guard isatty(descriptor) == 1, unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0
        else { return nil }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// `fcntl(2)` with a command for a lock of one byte.
    ///
    /// - Parameters:
    ///   - command: Such as `F_OFD_SETLK`.
    ///   - type: `F_RDLCK`, `F_WRLCK` or `F_UNLCK`.
    /// - Returns: The type of the lock after the call, which for a command that asks is what the kernel found.
    package static func lock(_ descriptor: Int32, _ command: Int32, _ type: Int32, byte: Int64) -> Int32? {
        var request = flock()
        request.l_type = Int16(type)
        request.l_whence = Int16(SEEK_SET)
        request.l_start = off_t(byte)
        request.l_len = 1
        guard unsafe fcntl(descriptor, command, &request) == 0 else { return nil }
        return Int32(request.l_type)
    }
}
