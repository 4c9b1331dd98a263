import Foundation
import SpecSamples
import Testing
import WeightFiles

/// What is written is read, of drawn arrays, names and values.
@Suite struct WeightFileLawTests {
    private static let names = [
        "", " ", "a.b.weight", "../../etc/passwd", "archive/data/0", "naïve", "重み", "👩‍👩‍👧", "quote'\"\\",
        "tab\tline\n", "\u{0}\u{1F}", "\u{7F}\u{85}\u{2028}", "C:\\w", "{\"a\":1}", "__metadata", "null", "e\u{301}",
    ]

    /// Numbers of any bits, NaN and subnormal ones too, under drawn shapes; each name once.
    private func drawn(_ random: inout SeededGenerator) -> [NamedArray] {
        Self.names.shuffled(using: &random).prefix(6).map { name in
            let shape = (0..<Int.random(in: 0...4, using: &random)).map { _ in Int.random(in: 0...5, using: &random) }
            let count = shape.reduce(1, *)
            if Bool.random(using: &random) {
                return NamedArray(
                    name: name, shape: shape, integers: (0..<count).map { _ in Int64(bitPattern: random.next()) })
            }
            let bits = (0..<count).map { _ in UInt32(truncatingIfNeeded: random.next()) }
            return NamedArray(name: name, shape: shape, values: bits.map(Float.init(bitPattern:)))
        }
    }

    private func expectSame(_ read: NamedArray, _ written: NamedArray) {
        #expect(read.shape == written.shape && read.integers == written.integers && read.type == written.type)
        #expect(read.values.map(\.bitPattern) == written.values.map(\.bitPattern), "\(written.name ?? "")")
    }

    @Test(arguments: 0..<12) func arraysAreReadAsTheyWereWritten(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let arrays = drawn(&random)
        let metadata = Dictionary(uniqueKeysWithValues: Self.names.map { ($0, String($0.reversed())) })
        try withTemporaryFile("a") { path in
            try SafetensorsFile.write(arrays, metadata: metadata, to: path)
            let file = try SafetensorsFile(path: path)
            #expect(file.metadata == metadata)
            #expect(Set(file.names) == Set(arrays.map(\.name)))
            for array in arrays { expectSame(try file.array(array.name ?? ""), array) }

            try LightningCheckpoint.writeState(arrays, to: path)
            let state = try LightningCheckpoint(path: path).weights(.raw).arrays
            #expect(state.map(\.name) == arrays.map(\.name))
            for (read, array) in zip(state, arrays) { expectSame(read, array) }

            for array in arrays {
                try NumPyFile.write(array, to: path)
                expectSame(try NumPyFile.read(path: path), array)
            }
        }
    }

    /// Eighths from −16 to 16, which every type of float holds exactly, and integers of any bits.
    private func elements(_ type: ElementType, _ count: Int, _ random: inout SeededGenerator) -> (
        bytes: [UInt8], values: [Float], integers: [Int64]?
    ) {
        func bytes(_ bits: UInt64, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
        }
        var (data, values, integers): ([UInt8], [Float], [Int64]) = ([], [], [])
        let parts = [.complex64, .complex128].contains(type) ? 2 : 1
        for _ in 0..<count * parts {
            let number = Double(Int.random(in: -128...128, using: &random)) / 8
            let bits = random.next()
            func integer(_ value: some BinaryInteger) {
                integers.append(Int64(truncatingIfNeeded: value))
                values.append(Float(value))
            }
            var stored = bits
            switch type {
            case .float16: stored = UInt64(Float16(number).bitPattern)
            case .bfloat16: stored = UInt64(Float(number).bitPattern >> 16)
            case .float32, .complex64: stored = UInt64(Float(number).bitPattern)
            case .float64, .complex128: stored = number.bitPattern
            case .int8: integer(Int8(truncatingIfNeeded: bits))
            case .int16: integer(Int16(truncatingIfNeeded: bits))
            case .int32: integer(Int32(truncatingIfNeeded: bits))
            case .int64: integer(Int64(truncatingIfNeeded: bits))
            case .uint8: integer(UInt8(truncatingIfNeeded: bits))
            case .uint16: integer(UInt16(truncatingIfNeeded: bits))
            case .uint32: integer(UInt32(truncatingIfNeeded: bits))
            case .uint64: integer(bits)
            case .bool:
                stored = bits & 1
                integer(stored)
            }
            if !type.isInteger { values.append(Float(number)) }
            data += bytes(stored, type.byteCount / parts)
        }
        return (data, values, type.isInteger ? integers : nil)
    }

    @Test(arguments: ElementType.allCases, [[], [1], [0], [3, 1, 5], [2, 3, 2, 2]])
    func everyTypeIsDecodedFromItsBytes(type: ElementType, shape: [Int]) throws {
        var random = SeededGenerator(state: UInt64(type.byteCount))
        let count = shape.reduce(1, *)
        let (bytes, values, integers) = elements(type, count, &random)
        let isComplex = [.complex64, .complex128].contains(type)
        func expect(_ array: NamedArray) {
            #expect(array.type == type && array.shape == (isComplex ? shape + [2] : shape))
            #expect(array.values == values && array.integers == integers)
        }
        let safetensors: [ElementType: String] = [
            .float16: "F16", .bfloat16: "BF16", .float32: "F32", .float64: "F64", .bool: "BOOL", .int8: "I8",
            .int16: "I16", .int32: "I32", .int64: "I64", .uint8: "U8", .uint16: "U16", .uint32: "U32", .uint64: "U64",
            .complex64: "C64",
        ]
        if let name = safetensors[type] {
            let header = #"{"x":{"dtype":"\#(name)","shape":\#(shape),"data_offsets":[0,\#(bytes.count)]}}"#
            let length = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
            try withTemporaryFile("a.safetensors", length + Array(header.utf8) + bytes) { path in
                expect(try SafetensorsFile(path: path).array("x"))
            }
        }
        let numpy: [ElementType: String] = [
            .float16: "<f2", .float32: "<f4", .float64: "<f8", .bool: "|b1", .int8: "|i1", .int16: "<i2",
            .int32: "<i4", .int64: "<i8", .uint8: "|u1", .uint16: "<u2", .uint32: "<u4", .uint64: "<u8",
            .complex64: "<c8", .complex128: "<c16",
        ]
        if let name = numpy[type] {
            let extents = shape.map { "\($0)," }.joined()
            let header = "{'shape': (\(extents)), 'descr': '\(name)', 'fortran_order': False}"
            let start: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0]
            try withTemporaryFile("a.npy", start + Array(header.utf8) + bytes) { path in
                expect(try NumPyFile.read(path: path))
            }
        }
    }

    /// Values of every kind inside one another, with integers around the widths of their encodings.
    private func value(_ depth: Int, _ random: inout SeededGenerator) -> PickleValue {
        func inner() -> [PickleValue] {
            (0..<Int.random(in: 0...4, using: &random)).map { _ in value(depth - 1, &random) }
        }
        switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &random) {
        case 0: return .none
        case 1: return .bool(Bool.random(using: &random))
        case 2:
            let edge =
                [0, 1 << 7, 1 << 8, 1 << 15, 1 << 16, 1 << 31, 1 << 32, Int.max, Int.min]
                .randomElement(using: &random) ?? 0
            return .int(edge &+ Int.random(in: -1...1, using: &random))
        case 3: return .float([0.1, -.infinity, .leastNonzeroMagnitude, 1e300].randomElement(using: &random) ?? 0)
        case 4: return .string(Self.names.randomElement(using: &random) ?? "")
        case 5: return .bytes((0..<4).map { _ in UInt8.random(in: 0...255, using: &random) })
        case 6: return .list(inner())
        case 7: return .tuple(inner())
        default:
            return .dictionary(
                inner().enumerated().reduce(into: [:]) { $0[Bool.random(using: &random) ? "\($1.0)" : "k"] = $1.1 })
        }
    }

    @Test(arguments: 0..<8) func hyperParametersAreReadAsTheyWereWritten(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let parameters: PickleDictionary = [
            "a": value(3, &random), "b": value(3, &random), "c": value(3, &random), "": value(3, &random),
        ]
        try withTemporaryFile("a.ckpt") { path in
            try LightningCheckpoint.write(
                .init(weights: [NamedArray(name: "w", shape: [], values: [1])], hyperParameters: parameters), to: path)
            #expect(try LightningCheckpoint(path: path).hyperParameters == parameters)
        }
    }

    /// Networks whose parameters all have one shape, with buffers among them: only the order tells averages apart.
    private func checkpoint(_ random: inout SeededGenerator) -> (LightningCheckpoint.Draft, average: [String: [Float]])
    {
        var weights = (0..<6).map { NamedArray(name: "dnn.\($0).w", shape: [2, 1], values: [Float($0), -1]) }
        weights += (0..<3).map { NamedArray(name: "dnn.\($0).running_mean", shape: [2, 1], values: [0, Float($0)]) }
        weights.shuffle(using: &random)
        let trained = weights.compactMap(\.name).filter { $0.hasSuffix(".w") }
        func numbers() -> [Float] { (0..<2).map { _ in Float.random(in: 0...1, using: &random) } }
        let averages = trained.map { _ in numbers() }
        let moments = trained.dropFirst().map { name in
            (name, (NamedArray(shape: [2, 1], values: numbers()), NamedArray(shape: [2, 1], values: numbers())))
        }
        let adam = LightningCheckpoint.Adam(updates: 40, moments: Dictionary(uniqueKeysWithValues: moments))
        let draft = LightningCheckpoint.Draft(
            weights: weights, hyperParameters: ["lr": 1e-4],
            average: .init(
                decay: 0.9, updates: 40, parameters: averages.map { NamedArray(shape: [2, 1], values: $0) }),
            optimizer: .init(rate: 1e-4, state: adam, parameters: trained))
        return (draft, Dictionary(uniqueKeysWithValues: zip(trained, averages)))
    }

    @Test(arguments: 0..<6) func averagesAndMomentsBelongToTheirParameters(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let (draft, average) = checkpoint(&random)
        try withTemporaryFile("a.ckpt") { path in
            try LightningCheckpoint.write(draft, to: path)
            let checkpoint = try LightningCheckpoint(path: path)
            let read = try checkpoint.weights(.averaged).arrays
            #expect(read.map(\.name) == draft.weights.map(\.name))
            for (array, raw) in zip(read, draft.weights) {
                #expect(array.values == average[array.name ?? ""] ?? raw.values, "\(array.name ?? "")")
            }
            let adam = try #require(try checkpoint.adam(parameters: draft.optimizer?.parameters ?? []))
            let written = draft.optimizer?.state.moments ?? [:]
            #expect(Set(adam.moments.keys) == Set(written.keys))
            for (name, moments) in adam.moments {
                #expect(moments.first.values == written[name]?.first.values)
                #expect(moments.second.values == written[name]?.second.values)
            }
        }
    }

    /// The members of a checkpoint are whole, and none is read beyond the limit that is asked for.
    @Test func membersAreReadWhole() throws {
        var random = SeededGenerator(state: 1)
        let (draft, _) = checkpoint(&random)
        try withTemporaryFile("a.ckpt") { path in
            try LightningCheckpoint.write(draft, to: path)
            let archive = try ZipArchive(path: path)
            // Weights, averages, and a count with two moments for all but one parameter.
            let numbers = Set((0..<9 + 6 + 3 * 5).map { "archive/data/\($0)" })
            #expect(
                Set(archive.names).subtracting(numbers)
                    == Set(["data.pkl", "byteorder", "version"].map { "archive/" + $0 }))
            for name in archive.names {
                let size = try #require(archive.size(of: name))
                #expect(try archive.read(name, limit: size).count == size)
                #expect(failure { _ = try archive.read(name, limit: size - 1) } == .tooLarge)
            }
            #expect(archive.size(of: "archive/data/99") == nil)
            #expect(failure { _ = try archive.read("archive/data/99", limit: 10) } == .malformed)
        }
    }

    @Test(arguments: 0..<20) func wrappersOfAnyLevelAreRemoved(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        let plain = ["dnn.0.weight", "dnn.0.bias", "dnn.module_list.1", "w"]
        let wrapped = plain.map { name in
            var parts = name.split(separator: ".")
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let word = ["_orig_mod", "module", "_fsdp_wrapped_module"].randomElement(using: &random) ?? ""
                parts.insert(Substring(word), at: Int.random(in: 0...parts.count, using: &random))
            }
            return parts.joined(separator: ".")
        }
        #expect(WrapperNames.stripped(wrapped).names == plain)
        #expect(WrapperNames.stripped(plain).words.isEmpty)
    }
}

/// Cuts and flipped bits of the files that are written here.
@Suite struct WrittenFileDamageTests {
    private func written(_ write: (String) throws -> Void) throws -> [UInt8] {
        try withTemporaryFile("whole") { path in
            try write(path)
            return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        }
    }

    /// An error names its file and says what is wrong.
    private func expectError(_ file: String, _ comment: String, _ read: () throws -> Void) {
        let error = #expect(throws: WeightFileError.self, "\(comment)") { try read() }
        #expect(error?.file == file && error?.summary.isEmpty == false, "\(comment)")
    }

    @Test func everyCutIsAnErrorThatNamesTheFile() throws {
        let arrays = [
            NamedArray(name: "a", shape: [3], values: [1, 2, 3]), NamedArray(name: "b", shape: [], integers: [7]),
        ]
        let safetensors = try written { try SafetensorsFile.write(arrays, metadata: ["k": "v"], to: $0) }
        let numpy = try written { try NumPyFile.write(arrays[0], to: $0) }
        let checkpoint = try written { try LightningCheckpoint.writeState(arrays, to: $0) }
        func cuts(_ bytes: [UInt8], _ read: (String) throws -> Void) throws {
            for length in stride(from: bytes.count - 1, through: 0, by: -11) {
                try withTemporaryFile("cut", Array(bytes[..<length])) { path in
                    expectError(path, "\(length) of \(bytes.count) bytes") { try read(path) }
                }
            }
        }
        try cuts(safetensors) { _ = try SafetensorsFile(path: $0).arrays() }
        try cuts(numpy) { _ = try NumPyFile.read(path: $0) }
        try cuts(checkpoint) { _ = try LightningCheckpoint(path: $0).weights(.raw) }
    }

    /// Checksums cover what a checkpoint's values depend on.
    @Test func aFlippedBitOfACheckpointIsFoundOrHarmless() throws {
        let arrays = (0..<3).map {
            NamedArray(name: "w\($0)", shape: [2, 2], values: [Float]((0..<4).map { Float($0) }))
        }
        let bytes = try written { try LightningCheckpoint.writeState(arrays, to: $0) }
        var random = SeededGenerator(state: 3)
        var found = 0
        for _ in 0..<400 {
            var damaged = bytes
            let place = Int.random(in: 0..<bytes.count, using: &random)
            damaged[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
            do {
                let read = try LightningCheckpoint(bytes: damaged, name: "x.ckpt").weights(.raw).arrays
                #expect(read == arrays, "byte \(place)")
            } catch {
                let error = try #require(error as? WeightFileError)
                #expect(error.file == "x.ckpt" && !error.summary.isEmpty, "byte \(place)")
                found += 1
            }
        }
        #expect(found > 100)
    }

    /// These formats have no checksum: a flipped bit of the data changes that element alone.
    @Test func aFlippedBitOfTheDataChangesOneElement() throws {
        let array = NamedArray(name: "a", shape: [3, 5], values: (0..<15).map { 1 + Float($0) / 16 })
        let files = [
            try written { try SafetensorsFile.write([array], to: $0) },
            try written { try NumPyFile.write(array, to: $0) },
        ]
        for (number, bytes) in files.enumerated() {
            for element in 0..<15 {
                var damaged = bytes
                damaged[bytes.count - 60 + 4 * element + element % 4] ^= 2
                try withTemporaryFile("damaged", damaged) { path in
                    let read =
                        number == 0 ? try SafetensorsFile(path: path).array("a") : try NumPyFile.read(path: path)
                    #expect(read.shape == array.shape)
                    #expect(read.values.indices.filter { read.values[$0] != array.values[$0] } == [element])
                }
            }
        }
    }

    /// Headers with a flipped bit never crash the reader, and never give more than the file holds.
    @Test func aFlippedBitOfAHeaderNeverCrashes() throws {
        let array = NamedArray(name: "a", shape: [3, 5], values: (0..<15).map { 1 + Float($0) / 16 })
        let safetensors = try written { try SafetensorsFile.write([array], to: $0) }
        let numpy = try written { try NumPyFile.write(array, to: $0) }
        var random = SeededGenerator(state: 4)
        for (bytes, isNumPy) in [(safetensors, false), (numpy, true)] {
            for _ in 0..<120 {
                var damaged = bytes
                damaged[Int.random(in: 0..<bytes.count - 60, using: &random)] ^=
                    1 << UInt8.random(in: 0...7, using: &random)
                try withTemporaryFile("damaged", damaged) { path in
                    do {
                        let read = isNumPy ? [try NumPyFile.read(path: path)] : try SafetensorsFile(path: path).arrays()
                        #expect(read.allSatisfy { $0.values.count <= 60 && $0.shape.reduce(1, *) == $0.values.count })
                    } catch { #expect((error as? WeightFileError)?.file == path) }
                }
            }
        }
    }

    /// Swift compares names by their characters; a file may spell one character in two ways.
    @Test func namesThatLookAlikeAreNoCrash() throws {
        let header = #"""
            {"\u00e9":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},\#
            "e\u0301":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}
            """#
        let length = [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0]
        try withTemporaryFile("a.safetensors", length + Array(header.utf8) + [1, 2]) { path in
            expectError(path, "two spellings") { _ = try SafetensorsFile(path: path) }
        }
    }
}
