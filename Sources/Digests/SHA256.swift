import CCrypto
import Foundation

/// The hash function SHA-256 of FIPS 180-4, for names that are the same everywhere and forever.
///
/// OpenSSL's libcrypto computes it, with the processor's own instructions where it has them: 400 MB take 0.4 s, and
/// took 4.7 s in Swift on the same processor.
package enum SHA256 {
    /// The 32 bytes of the digest.
    package static func digest(of message: [UInt8]) -> [UInt8] {
        var stream = Stream()
        stream.update(message)
        return stream.finish()
    }

    /// The digest of a text's UTF-8 bytes in hexadecimal.
    ///
    /// - Parameter digits: How many of its 64 digits, from the first on.
    package static func hex(_ text: String, digits: Int = 64) -> String { hex(digest(of: Array(text.utf8)), digits) }

    /// The digest of a file's bytes in hexadecimal; the file is read by pieces.
    ///
    /// - Throws: What keeps the file from being read.
    package static func hex(ofFile path: String) throws -> String {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        var stream = Stream()
        while let chunk = try file.read(upToCount: 1 << 20), !chunk.isEmpty { stream.update(chunk.bytes) }
        return hex(stream.finish())
    }

    /// The first `count` hexadecimal digits of a digest.
    package static func hex(_ digest: [UInt8], _ count: Int = 64) -> String {
        let letters = Array("0123456789abcdef".utf8)
        let digits = digest.flatMap { [letters[Int($0 >> 4)], letters[Int($0 & 15)]] }
        return String(decoding: digits.prefix(count), as: UTF8.self)
    }
}

extension SHA256 {
    /// A message that is hashed piece by piece.
    @safe package struct Stream: ~Copyable {
        private let context: OpaquePointer  // made, used and freed here alone

        package init() {
            // The algorithm is part of every build of the library; only memory can be missing.
            guard let context = unsafe EVP_MD_CTX_new(), unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
            else {
                preconditionFailure("libcrypto has no SHA-256, or no memory for it")
            }
            unsafe self.context = context
        }

        deinit { unsafe EVP_MD_CTX_free(context) }

        /// Adds the bytes that follow.
        package mutating func update(_ bytes: RawSpan) {
            unsafe bytes.withUnsafeBytes { bytes in
                guard let start = bytes.baseAddress, bytes.count > 0 else { return }
                unsafe EVP_DigestUpdate(context, start, bytes.count)
            }
        }

        package mutating func update(_ bytes: [UInt8]) { unsafe update(bytes.span.bytes) }

        /// Adds the samples that follow, as the machine stores them.
        package mutating func update(_ samples: [Float]) { unsafe update(samples.span.bytes) }

        /// The 32 bytes of the digest of all that was added.
        package consuming func finish() -> [UInt8] {
            var digest = [UInt8](repeating: 0, count: 32)
            var length: UInt32 = 0
            unsafe digest.withUnsafeMutableBufferPointer { digest in
                _ = unsafe EVP_DigestFinal_ex(context, digest.baseAddress, &length)
            }
            precondition(length == 32, "a digest of \(length) bytes")
            return digest
        }
    }
}
