import Kernels
import Tensors
import Testing

/// Tells whether a buffer still lives; used by one thread.
private final class Watch: @unchecked Sendable {
    weak var buffer: FloatBuffer?
}

@Suite struct GraphTests {
    /// A piece with a weight, normalisation and activation, whose insides are remade in the backward pass.
    private func piece(_ x: Tensor, _ w: Tensor) -> Tensor {
        x.groupNormalized(groups: 2, gamma: nil, beta: nil, epsilon: 1e-6, activation: .silu).convolved(w).activated(
            .silu) * x
    }

    @Test func recomputationChangesNothing() {
        let (x, w) = (noise([1, 5, 6, 8]).tracked(), noise([8, 8, 3, 3], "w").tracked())
        let seed = noise([1, 5, 6, 8], "seed")
        let plain = piece(piece(x, w), w)
        let again = recomputed([recomputed([x]) { piece($0[0], w) }]) { piece($0[0], w) }
        #expect(plain.values == again.values)
        let (a, b) = (plain.gradients(seed: seed), again.gradients(seed: seed))
        #expect(a[x]?.values == b[x]?.values)
        #expect(a[w]?.values == b[w]?.values)
        #expect(a[x] != nil && a[w] != nil)
    }

    @Test func recomputationOfAConstantStillReachesTheWeights() {
        let (x, w) = (noise([1, 5, 6, 8]), noise([8, 8, 3, 3], "w").tracked())
        let expected = piece(x, w).sum().gradients()[w]
        let found = recomputed([x]) { piece($0[0], w) }.sum().gradients()[w]
        #expect(expected != nil && found?.values == expected?.values)
    }

    @Test func recomputationKeepsNothingOfItsInside() {
        let (x, w) = (noise([1, 5, 6, 8]).tracked(), noise([8, 8, 3, 3], "w").tracked())
        let watch = Watch()
        let body: @Sendable ([Tensor]) -> Tensor = {
            let inside = $0[0].convolved(w)
            watch.buffer = inside.buffer
            return inside * inside
        }
        let plain = body([x])
        withExtendedLifetime(plain) { #expect(watch.buffer != nil) }
        let again = recomputed([x], body)
        withExtendedLifetime(again) { #expect(watch.buffer == nil) }
    }

    @Test func gradientsOfATensorUsedTwiceAddUp() {
        let x = noise([4]).tracked()
        let table = (x + 2 * x - x * x).sum().gradients()
        for (g, x) in zip(table[x]?.values ?? [], x.values) { #expect(abs(g - (3 - 2 * x)) < 1e-5) }
    }

    @Test func constantsHaveNoGradient() {
        let (x, c) = (noise([4]).tracked(), noise([4], "c"))
        let table = (x * c + x.detached).sum().gradients()
        #expect(table[c] == nil)
        #expect(table[x]?.values == c.values)
        #expect(table[noise([4]).tracked()] == nil)
    }

    @Test func offRecordsNothing() {
        let x = noise([4]).tracked()
        let y = Gradients.off { (x * x).sum() }
        #expect(y.gradients()[x] == nil)
        #expect((x * x).sum().gradients()[x] != nil)
    }

    @Test func aLongChainIsLetGoOfWithoutRecursion() {
        let x = noise([1]).tracked()
        var h = x
        for _ in 0..<100_000 { h = h + 0 }
        #expect(h.gradients()[x]?.values == [1])
        var unused = x
        for _ in 0..<100_000 { unused = unused + 0 }
        #expect(unused.count == 1)
    }

    @Test func parametersAreLeavesAndConstantsAreNot() {
        let trained = Parameter(name: "w", noise([3]))
        let fixed = Parameter(name: "W", noise([3], "f"), isTrained: false)
        let table = (trained.tensor * fixed.tensor).sum().gradients()
        #expect(table[trained]?.values == fixed.tensor.values)
        #expect(table[fixed] == nil)
        trained.assign(fixed.tensor)
        #expect(trained.tensor.values == fixed.tensor.values)
    }

    @Test func samplesAreStackedAgain() {
        let x = noise([5, 2, 3])
        #expect(Tensor.stacked([x.samples(0..<2), x.samples(2..<5)]).values == x.values)
    }

    @Test func foreignOperationsBringTheirOwnWayBack() {
        let x = noise([6]).tracked()
        let y = Tensor(x.values.map { $0 * $0 }, shape: [6], from: [x]) { dy in [2 * (dy * x.detached)] }
        for (g, x) in zip(y.sum().gradients()[x]?.values ?? [], x.values) { #expect(abs(g - 2 * x) < 1e-5) }
    }
}
