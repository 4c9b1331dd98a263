import Kernels
import Testing

private let lapack = try? LAPACK()

@Suite(.enabled(if: lapack != nil, "LAPACK is not installed: Debian's liblapack3 or libopenblas0"))
struct LAPACKTests {
    /// `A v = λ v` with orthonormal vectors and falling values, for matrices of many sizes.
    @Test(arguments: [1, 2, 3, 7, 33, 64]) func vectorsAreThoseOfTheMatrix(size: Int) throws {
        let draws = RandomStream(seed: 1, purpose: "eigen", size).normals(size * size).map(Double.init)
        let matrix = (0..<size).map { i in (0..<size).map { j in draws[i * size + j] + draws[j * size + i] } }
        let (values, vectors) = try #require(lapack).eigensystem(of: matrix)
        #expect(values == values.sorted(by: >))
        let scale = values.map(abs).max() ?? 1
        for k in 0..<size {
            for row in 0..<size {
                let product = (0..<size).reduce(0) { $0 + matrix[row][$1] * vectors[$1][k] }
                #expect(abs(product - values[k] * vectors[row][k]) < 1e-12 * scale * Double(size))
            }
            for other in 0...k {
                let dot = (0..<size).reduce(0) { $0 + vectors[$1][k] * vectors[$1][other] }
                #expect(abs(dot - (k == other ? 1 : 0)) < 1e-12 * Double(size))
            }
            let largest = (0..<size).map { vectors[$0][k] }.max { abs($0) < abs($1) }
            #expect((largest ?? 0) > 0)
        }
        #expect(try #require(lapack).eigensystem(of: []).values.isEmpty)
    }
}
