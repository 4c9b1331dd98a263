extension ArraySlice<UInt8> {
    /// Calls `body` with each 64-bit word of the bytes, in the machine's order of bytes.
    ///
    /// - Precondition: The bytes are whole words.
    @inlinable
    package func forEachWord(_ body: (UInt64) -> Void) {
        precondition(count % 8 == 0, "\(count) bytes are no whole words")
        unsafe withUnsafeBytes { bytes in
            for place in stride(from: 0, to: bytes.count, by: 8) {
                body(unsafe bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            }
        }
    }
}
