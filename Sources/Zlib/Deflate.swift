import CZlib

/// DEFLATE data (RFC 1951), alone as in zip archives or in zlib's frame (RFC 1950) as in PNG, by the system's zlib.
public enum Deflate {
    /// Why data cannot be decompressed.
    public enum Failure: Error, Hashable, Sendable {
        /// They end early, or are not DEFLATE data.
        case damaged
        /// They decompress to another number of bytes than their container states.
        case otherSize
    }

    /// The most bytes that one byte of DEFLATE data decompresses to: a match of 258 bytes takes at least two bits.
    private static let mostPerByte = 1032

    /// Decompresses unframed data whose size is known.
    ///
    /// Memory and time are bounded by `size` and by the data: what decompresses to more is refused, and so is a size
    /// that no data of this length can have.
    public static func decompress(_ bytes: [UInt8], size: Int) throws(Failure) -> [UInt8] {
        guard let input = UInt32(exactly: bytes.count), let room = UInt32(exactly: size + 1),
            size / mostPerByte <= bytes.count
        else { throw .otherSize }
        var stream = unsafe z_stream()
        // −15: the largest window, and no frame.
        guard unsafe inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .damaged
        }
        defer { unsafe inflateEnd(&stream) }
        var source = bytes
        // One byte more than announced shows data that are longer.
        var output = [UInt8](repeating: 0, count: size + 1)
        let status = unsafe source.withUnsafeMutableBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { output in
                unsafe (stream.next_in, stream.avail_in) = (source.baseAddress, input)
                unsafe (stream.next_out, stream.avail_out) = (output.baseAddress, room)
                return unsafe inflate(&stream, Z_FINISH)
            }
        }
        let count = unsafe size + 1 - Int(stream.avail_out)
        guard count <= size else { throw .otherSize }
        guard status == Z_STREAM_END else { throw .damaged }
        guard count == size else { throw .otherSize }
        output.removeLast()
        return output
    }

    /// Compresses data into a zlib stream, the same for the same data.
    public static func compressed(_ bytes: [UInt8]) -> [UInt8] {
        var count = compressBound(UInt(bytes.count))
        var output = [UInt8](repeating: 0, count: Int(count))
        let status = unsafe compress2(&output, &count, bytes, UInt(bytes.count), 6)
        precondition(status == Z_OK, "zlib cannot compress \(bytes.count) bytes: \(status)")
        return Array(output.prefix(Int(count)))
    }
}
