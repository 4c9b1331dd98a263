import Testing
import WeightFiles

/// `mixed.safetensors` holds tensors of PyTorch, laid out by the format description.
@Suite struct SafetensorsFileTests {
    @Test func everyTypeIsRead() throws {
        let file = try SafetensorsFile(path: fixture("mixed.safetensors"))
        #expect(Set(file.names) == ["a.weight", "half", "brain", "double", "steps", "mask"])
        #expect(file.metadata == ["format": "pt", "note": "\"quoted\"\n"])
        #expect(try file.array("a.weight").shape == [2, 3])
        #expect(try file.array("a.weight").values == [0, 0.25, 0.5, 0.75, 1, 1.25])
        #expect(try file.array("half").values == [1.5, -2, 65504])
        #expect(try file.array("brain").values[..<2] == [1.5, -2])
        #expect(try file.array("double").values == [0.1])
        #expect(try file.array("steps").integers == [1 << 53 + 1])
        #expect(try file.array("mask").integers == [1, 0])
        #expect(failure { _ = try file.array("absent") } == .missing)
    }

    @Test func whatIsWrittenIsRead() throws {
        let arrays = [
            NamedArray(name: "b\"\\\u{1}é", shape: [2, 2], values: [1, .infinity, -0.0, Float(bitPattern: 1)]),
            NamedArray(name: "a", shape: [], integers: [.min]),
            NamedArray(name: "none", shape: [0, 4], values: []),
        ]
        try withTemporaryFile("a.safetensors") { path in
            try SafetensorsFile.write(arrays, metadata: ["who\n": "\"me\""], to: path)
            let file = try SafetensorsFile(path: path)
            #expect(file.metadata == ["who\n": "\"me\""])
            for array in arrays { #expect(try file.array(array.name ?? "") == array) }
        }
    }

    @Test func everyTruncationIsAnError() throws {
        let bytes = try fixtureBytes("mixed.safetensors")
        for length in stride(from: 0, to: bytes.count, by: 7) {
            try withTemporaryFile("a.safetensors", Array(bytes[..<length])) { path in
                #expect(failure { _ = try SafetensorsFile(path: path) } != nil, "\(length) bytes")
            }
        }
    }

    @Test(arguments: [
        (
            #"""
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},\#
            "b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}
            """#,
            8
        ),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8),
        (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, 8),
        (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}}"#, 8),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, 8),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 9),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}"#, 8),
        (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0),
        (#"{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}"#, 8),
        (#"{"a":7}"#, 0), (#"[1]"#, 0), (#"{"a""#, 0),
    ])
    func contradictionsAreMalformed(header: String, dataBytes: Int) throws {
        let length = UInt64(header.utf8.count)
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8)
        try withTemporaryFile("a.safetensors", bytes + [UInt8](repeating: 0, count: dataBytes)) { path in
            #expect(failure { _ = try SafetensorsFile(path: path) } == .malformed)
        }
    }

    @Test func hugeHeadersAndRangesAreRefused() throws {
        let bytes: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0x7B]
        try withTemporaryFile("a.safetensors", bytes) { path in
            #expect(failure { _ = try SafetensorsFile(path: path) } == .tooLarge)
        }
        let header = #"{"a":{"dtype":"U8","shape":[9000000000000000000],"data_offsets":[0,9000000000000000000]}}"#
        let claim = [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8)
        try withTemporaryFile("a.safetensors", claim) { path in
            #expect(failure { _ = try SafetensorsFile(path: path) } == .truncated)
        }
    }
}
