import Digests
import Testing

@Suite struct WordsTests {
    /// From any byte of an array on, whole words come in order, least significant byte first.
    @Test(arguments: 0..<8)
    func wordsAreEightBytesEach(start: Int) {
        let bytes = (0..<32).map { UInt8($0 * 37 & 255) }
        let slice = bytes[start..<start + 24]
        var words: [UInt64] = []
        slice.forEachWord { words.append($0) }
        let plain = (0..<3).map { word in
            (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[start + 8 * word + $1]) << (8 * $1) }
        }
        #expect(words == plain)
        bytes[0..<0].forEachWord { Issue.record("a word of nothing: \($0)") }
    }
}
