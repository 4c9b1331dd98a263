import Testing
import WeightFiles

/// Fixtures written by `torch.save` of PyTorch 2.15, in its zip layout and in the one before 1.6.
@Suite struct TorchFileTests {
    private func values(_ name: String, in file: TorchFile) throws -> NamedArray {
        let tensor = try #require(file.value.dictionaryValue?[name]?.tensorValue)
        return try file.array(tensor)
    }

    @Test(arguments: ["tensors.pt", "tensors_legacy.pt"])
    func windowsOfASharedStorageAreGathered(name: String) throws {
        let file = try TorchFile(path: fixture(name))
        #expect(try values("whole", in: file) == NamedArray(shape: [24], values: (0..<24).map(Float.init)))
        #expect(try values("window", in: file) == NamedArray(shape: [6], values: [5, 6, 7, 8, 9, 10]))
        let transposed = try values("transposed", in: file)
        #expect(transposed.shape == [6, 4])
        #expect(transposed.values[..<5] == [0, 6, 12, 18, 1])
        #expect(try values("shared", in: file).values == [4, 5, 6, 7, 16, 17, 18, 19])
        #expect(
            try values("expanded", in: file) == NamedArray(shape: [3, 2], values: [Float](repeating: 2.5, count: 6)))
        #expect(try values("scalar", in: file) == NamedArray(shape: [], values: [-1.5]))
        #expect(try values("empty", in: file) == NamedArray(shape: [0, 3], values: []))
    }

    @Test(arguments: ["tensors.pt", "tensors_legacy.pt"])
    func everyTypeBecomesFloatAndIntegersStayExact(name: String) throws {
        let file = try TorchFile(path: fixture(name))
        #expect(try values("half", in: file).values == [1.5, -2])
        #expect(try values("brain", in: file).values == [1.5, -2])
        #expect(try values("double", in: file).values == [0.1])
        #expect(try values("long", in: file).integers == [1 << 53 + 1, -1])
        #expect(try values("mask", in: file).integers == [1, 0])
        #expect(try values("byte", in: file).integers == [200])
        #expect(try values("complex", in: file).values == [1, 2, 3, -4])
        #expect(try values("complex", in: file).shape == [2, 2])
        #expect(try values("parameter", in: file).values == [7])
        if name == "tensors.pt" { #expect(try values("uint16", in: file).integers == [65535]) }
    }

    @Test(arguments: 2...5)
    func everyProtocolGivesTheSameValues(version: Int) throws {
        let value = try TorchFile(path: fixture("values_protocol\(version).pt")).value
        let dictionary = try #require(value.dictionaryValue)
        #expect(dictionary["int"] == 7)
        #expect(dictionary["negative"] == -3)
        #expect(dictionary["long"] == .int(1 << 62))
        #expect(dictionary["minus"] == .int(.min))
        #expect(dictionary["big"] == .bigInteger([UInt8](repeating: 0, count: 12) + [16]))
        #expect(dictionary["float"] == 0.1)
        #expect(dictionary["inf"] == .float(.infinity))
        #expect(dictionary["text"] == "Grüße")
        #expect(dictionary["bytes"] == .bytes([0, 255]))
        #expect(dictionary["none"]?.isNone == true)
        #expect(dictionary["yes"] == true)
        #expect(dictionary["list"] == [1, [2, .string(String(repeating: "x", count: 300))]])
        #expect(dictionary["tuple"] == .tuple([]))
        #expect(dictionary["four"] == .tuple([1, 2, 3, 4]))
        #expect(dictionary["set"] == .set([1]))
        #expect(dictionary["frozen"] == .set([2]))
        #expect(dictionary["ordered"] == ["b": 1, "a": 2])
        #expect(dictionary["default"] == ["k": [1]])
        #expect(dictionary[.int(3)] == "three")
        #expect(dictionary[.tuple([1, "a"])] == "tuple key")
        #expect(dictionary["namespace"]?.dictionaryValue?["lr"] == 0.5)
        #expect(dictionary["size"] == .tuple([2, 3]))
        #expect(dictionary["dtype"] == .reference(.init(module: "torch", name: "float32")))
        #expect(dictionary["class"] == .reference(.init(module: "torch.nn.modules.linear", name: "Linear")))
        #expect(dictionary["array"] == .bytes(Array("ab".utf8)))
        #expect(dictionary["one"] == [1, 2])
        #expect(dictionary["other"] == [1, 2])
        guard case .object(let device)? = dictionary["device"] else {
            Issue.record("a device is kept as an object")
            return
        }
        #expect(device.arguments == ["cuda", 1])
    }

    @Test(arguments: ["calls_system.pt", "calls_eval.pt", "calls_popen.pt"])
    func whatAsksToBeExecutedIsRefusedByName(name: String) throws {
        do {
            _ = try TorchFile(path: fixture(name))
            Issue.record("\(name) was read")
        } catch {
            #expect(error.reason == .refused)
            #expect(error.summary.contains("asks to call"))
        }
    }

    @Test func bombsNestingAndRepetitionAreBounded() {
        #expect(failure { _ = try TorchFile(path: fixture("bomb.pt")) } == .tooLarge)
        #expect(failure { _ = try TorchFile(path: fixture("deep_data.zip")) } == .tooLarge)
        #expect(failure { _ = try TorchFile(path: fixture("laughs.zip")) } == .tooLarge)
        #expect(failure { _ = try TorchFile(path: fixture("cycle.zip")) } == .unsupported)
    }

    /// The layout without checksums, with a type of the same length in place of `FloatStorage`.
    @Test func aTensorOfAnUnknownTypeIsNamed() throws {
        var bytes = try fixtureBytes("tensors_legacy.pt")
        let (known, unknown) = (Array("torch\nFloatStorage\n".utf8), Array("torch\nFloat8Storag\n".utf8))
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: known) })
        bytes.replaceSubrange(place..<place + known.count, with: unknown)
        try withTemporaryFile("a.pt", bytes) { path in
            let error = #expect(throws: WeightFileError.self) { try TorchFile(path: path) }
            #expect(error?.reason == .unsupported)
            #expect(error?.place?.hasPrefix("tensor 'transposed'") == true)
            #expect(error?.summary.contains("torch.Float8Storag") == true)
            #expect(error?.hint?.contains("float32") == true)
        }
    }

    @Test func otherFilesAreUnsupported() throws {
        for bytes in [Array("PK\u{5}\u{6}".utf8), Array("hello, this is no checkpoint".utf8), []] {
            try withTemporaryFile("a.pt", bytes) { path in
                #expect(failure { _ = try TorchFile(path: path) } == .unsupported)
            }
        }
    }
}
