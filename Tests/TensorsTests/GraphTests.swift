import Kernels
import Synchronization
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

    /// A leaf's gradient is told once, whole, and before nodes are walked that cannot add to it.
    @Test func gradientsAreToldAsSoonAsTheyAreFinal() {
        let (first, second, both) = (noise([4]).tracked(), noise([4], "2").tracked(), noise([4], "3").tracked())
        let events = Mutex<[String]>([])
        func product(_ name: String, _ inputs: [Tensor]) -> Tensor {
            Tensor(inputs.dropFirst().reduce(inputs[0].detached) { $0 * $1.detached }.values, shape: [4], from: inputs)
            {
                dy in
                events.withLock { $0.append(name) }
                return inputs.indices.map { place in
                    inputs.indices.filter { $0 != place }.reduce(dy) { $0 * inputs[$1].detached }
                }
            }
        }
        let leaves = [first, second, both]
        var told: [Int: [Float]] = [:]
        let inner = product("inner", [first, both])
        let table = product("outer", [inner, second, both]).sum().gradients(of: leaves) { place, gradient in
            events.withLock { $0.append("leaf \(place)") }
            told[place] = gradient.values
        }
        #expect(events.withLock { $0 } == ["outer", "leaf 1", "inner", "leaf 0", "leaf 2"])
        for (place, leaf) in leaves.enumerated() { #expect(told[place] != nil && told[place] == table[leaf]?.values) }
    }

    /// A piece that is computed again may use any weight, so nothing is final before it.
    @Test func recomputedPiecesDelayWhatTheyMayAddTo() {
        let (x, w, v) = (
            noise([1, 8, 6, 8]).tracked(), noise([8, 8, 3, 3], "w").tracked(), noise([1, 8, 6, 8]).tracked()
        )
        var told: [Int: [Float]] = [:]
        let result = (recomputed([x.convolved(w)]) { $0[0].convolved(w) } * v).sum()
        let table = result.gradients(of: [w, v]) { told[$0] = $1.values }
        #expect(told[0] == table[w]?.values && told[1] == table[v]?.values && told.count == 2)
        let hidden = recomputed([x]) { $0[0].convolved(w) }.sum()
        var isTold = false
        #expect(hidden.gradients(of: [w]) { _, _ in isTold = true }[w] != nil && !isTold)
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
