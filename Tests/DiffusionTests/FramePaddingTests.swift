import Diffusion
import Tensors
import Testing

@Suite struct FramePaddingTests {
    @Test(arguments: FramePadding.allCases)
    func paddingMatches(mode: FramePadding) throws {
        let cases = try #require(try golden("padding.json", as: [String: [String: [Float]]].self)[mode.rawValue])
        for frames in [1, 20, 33, 65, 100] {
            guard let expected = cases["\(frames)"], let input = cases["in_\(frames)"] else { continue }
            let x = Tensor(input.flatMap { [$0, -$0] }, shape: [1, 1, frames, 2])
            let padded = mode.pad(x)
            #expect(padded.shape == [1, 1, expected.count, 2])
            #expect(padded.values == expected.flatMap { [$0, -$0] })
            #expect(FramePadding.trim(padded, to: frames).values == x.values)
        }
    }

    /// The reference fails where the padding is not smaller than the signal; here the mirror is mirrored.
    @Test func shortSignalsAreMirroredAgain() {
        let x = Tensor([1, 2, 3], shape: [1, 1, 3, 1])
        #expect(FramePadding.reflection.pad(x, multiple: 8).values == [1, 2, 3, 2, 1, 2, 3, 2])
        let one = Tensor([4], shape: [1, 1, 1, 1])
        #expect(FramePadding.reflection.pad(one, multiple: 4).values == [4, 4, 4, 4])
    }

    @Test func rowsAndSamplesStayApart() {
        let x = Tensor((0..<12).map(Float.init), shape: [2, 2, 3, 1])
        #expect(FramePadding.zero.pad(x, multiple: 4).values == [0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0])
        #expect(FramePadding.replication.pad(x, multiple: 3).shape == x.shape)
    }
}
