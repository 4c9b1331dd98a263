import Testing
import WeightFiles

/// Fixtures written by NumPy 2 (`numpy.save`).
@Suite struct NumPyFileTests {
    private static let numbers: [Float] = [0, 1, -2.5, 3, 1e-3, 65504]

    @Test(arguments: ["f2", "f4", "f8"])
    func floatsOfEveryWidthBecomeFloat(kind: String) throws {
        let array = try NumPyFile.read(path: fixture("kind_\(kind).npy"))
        #expect(array.shape == [2, 3])
        let tolerance: Float = kind == "f2" ? 1e-6 : 0
        #expect(zip(array.values, Self.numbers).allSatisfy { abs($0 - $1) <= tolerance })
        #expect(array.integers == nil)
    }

    @Test func integersAreKeptExactly() throws {
        let array = try NumPyFile.read(path: fixture("kind_i8.npy"))
        #expect(array.integers == [0, 1, -2, 1 << 62 + 1, .min, .max])
        #expect(try NumPyFile.read(path: fixture("kind_i4.npy")).integers == [0, 1, -2, 3, 0, 65504])
        #expect(try NumPyFile.read(path: fixture("kind_u1.npy")).integers == [0, 1, 2, 3, 4, 127])
        #expect(try NumPyFile.read(path: fixture("kind_b1.npy")).integers == [0, 1, 1, 1, 1, 1])
    }

    @Test func complexNumbersTakeAnAxisOfTwo() throws {
        let array = try NumPyFile.read(path: fixture("kind_c8.npy"))
        #expect(array.shape == [2, 3, 2])
        #expect(array.values[4...5] == [-2.5, 0])
    }

    @Test func columnMajorIsTurnedIntoRowMajor() throws {
        let array = try NumPyFile.read(path: fixture("column_major.npy"))
        #expect(array.shape == [2, 3, 4])
        #expect(array.values == (0..<24).map(Float.init))
    }

    @Test func scalarsAndEmptyArraysAreArrays() throws {
        #expect(try NumPyFile.read(path: fixture("scalar.npy")) == NamedArray(shape: [], values: [7.5]))
        #expect(try NumPyFile.read(path: fixture("empty.npy")) == NamedArray(shape: [0, 3], values: []))
    }

    @Test(arguments: [[], [1], [7], [3, 2], [2, 0, 5], [2, 1, 3, 2]])
    func whatIsWrittenIsRead(shape: [Int]) throws {
        let count = shape.reduce(1, *)
        let floats = NamedArray(shape: shape, values: (0..<count).map { Float($0) / 3 })
        let integers = NamedArray(shape: shape, integers: (0..<count).map { Int64($0) - 1 << 60 })
        for array in [floats, integers] {
            try withTemporaryFile("a.npy") { path in
                try NumPyFile.write(array, to: path)
                #expect(try NumPyFile.read(path: path) == array)
            }
        }
    }

    @Test func everyTruncationIsAnErrorOfItsKind() throws {
        let bytes = try fixtureBytes("kind_f4.npy")
        for length in 0..<bytes.count {
            try withTemporaryFile("a.npy", Array(bytes[..<length])) { path in
                let reason = failure { _ = try NumPyFile.read(path: path) }
                #expect(reason == .truncated || reason == .malformed, "\(length) bytes")
            }
        }
    }

    @Test func hugeClaimsAreRefusedBeforeMemoryIsAskedFor() throws {
        let text = "{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 2), }"
        let bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
        try withTemporaryFile("a.npy", bytes) { path in
            #expect(failure { _ = try NumPyFile.read(path: path) } == .malformed)
        }
    }

    @Test func otherByteOrdersAndMissingFilesSaySo() {
        #expect(failure { _ = try NumPyFile.read(path: fixture("big_endian.npy")) } == .unsupported)
        #expect(failure { _ = try NumPyFile.read(path: fixture("absent.npy")) } == .unreadable)
        #expect(failure { _ = try NumPyFile.read(path: fixture("")) } == .unreadable)
    }
}
