import Kernels
import Testing

@Suite struct DotProductsTests {
    /// The vectors add in another order than the plain loop, so the sums agree to rounding.
    @Test(arguments: [0, 1, 3, 4, 5, 8, 13], [(0, 1), (2, 3), (5, 0)])
    func theyAreThePlainLoop(count: Int, place: (start: Int, step: Int)) {
        let a = (0..<count).map { Double($0 * 7 % 5) - 1.5 }
        let b = (0..<place.start + 3 * place.step + count).map { Double($0 * 11 % 7) - 2.25 }
        let sums = dotProducts(a, b, from: place.start, step: place.step)
        for lane in 0..<4 {
            let plain = (0..<count).reduce(0) { $0 + a[$1] * b[place.start + lane * place.step + $1] }
            #expect(abs(sums[lane] - plain) < 1e-12)
        }
    }
}
