import Testing
import WeightFiles

/// Damaged input gives a typed error or the right values; it never crashes and never gives wrong weights.
@Suite struct DamageTests {
    private static let names = ["swapped.ckpt", "deflated.ckpt", "zip64.ckpt", "tensors_legacy.pt"]

    /// Reads everything there is to read, and gives the weights.
    private func readAll(_ bytes: [UInt8]) throws -> [NamedArray] {
        let checkpoint = try LightningCheckpoint(bytes: bytes, name: "damaged")
        let raw = try checkpoint.weights(.raw).arrays
        return try raw + checkpoint.weights(.averagedIfPresent).arrays
    }

    @Test(arguments: names)
    func everyTruncationIsAnError(name: String) throws {
        let bytes = try fixtureBytes(name)
        for length in stride(from: 0, to: bytes.count - 1, by: 3) {
            #expect(failure { _ = try readAll(Array(bytes[..<length])) } != nil, "\(length) bytes")
        }
    }

    /// A flipped bit is found, by structure or by checksum, or lies where it changes no weight.
    @Test(arguments: names.dropLast())
    func everyFlippedBitIsFoundOrHarmless(name: String) throws {
        let bytes = try fixtureBytes(name)
        let expected = try readAll(bytes)
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] ^= 1 << UInt8(position * 5 % 8)
            do { #expect(try readAll(damaged) == expected, "byte \(position)") } catch {
                #expect(error is WeightFileError)
            }
        }
    }

    /// The layout before zip has no checksum: damage may change a weight, but nothing else happens.
    @Test func flippedBitsOfThePlainLayoutNeverCrash() throws {
        let bytes = try fixtureBytes("tensors_legacy.pt")
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] ^= 1 << UInt8(position % 8)
            do { _ = try readAll(damaged) } catch { #expect(error is WeightFileError) }
        }
    }
}
