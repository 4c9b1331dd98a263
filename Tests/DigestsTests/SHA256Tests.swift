import Digests
import Foundation
import Testing

@Suite struct SHA256Tests {
    /// Vectors of FIPS 180-4; the last one fills more than a block once padded.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func hashesAreTheStandards(text: String, digest: String) {
        #expect(SHA256.hex(text) == digest && SHA256.hex(text, digits: 10) == String(digest.prefix(10)))
    }

    /// FIPS 180-4: a million letters 'a', which a file holds in several pieces.
    @Test func aFileReadInPiecesHasTheDigestOfItsBytes() throws {
        let path = NSTemporaryDirectory() + "sgmse-digest-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(repeating: UInt8(ascii: "a"), count: 1_000_000).write(to: URL(fileURLWithPath: path))
        #expect(try SHA256.hex(ofFile: path) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
        let bytes = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let digest = SHA256.digest(of: bytes).map { String(format: "%02x", $0) }.joined()
        #expect(try SHA256.hex(ofFile: path) == digest)
        #expect(throws: (any Error).self) { try SHA256.hex(ofFile: path + "-missing") }
    }
}
