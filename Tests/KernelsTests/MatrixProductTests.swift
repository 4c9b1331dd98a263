import Kernels
import Testing

extension EngineTests {
    @Suite struct MatrixProductTests {
        static let sizes = [
            (1, 1, 1), (1, 17, 3), (5, 1, 9), (7, 9, 11), (16, 16, 16), (33, 31, 65), (97, 50, 40), (200, 3, 130),
            (13, 129, 300),
        ]

        @Test(arguments: sizes)
        func equalsItsDefinition(m: Int, n: Int, k: Int) {
            let batch = 2
            let (a, b) = (noise(batch * m * k, "a"), noise(batch * k * n, "b"))
            let (rowsA, rowsB) = (MatrixLayout(rows: m, columns: k), MatrixLayout(rows: k, columns: n))
            let layouts = [
                (rowsA, rowsB), (MatrixLayout(rows: k, columns: m).transposed, rowsB),
                (rowsA, MatrixLayout(rows: n, columns: k).transposed),
            ]
            for (la, lb) in layouts {
                var expected: [Double] = []
                for s in 0..<batch {
                    for i in 0..<m {
                        for j in 0..<n {
                            expected.append(
                                (0..<k).reduce(0) { total, l in
                                    let x = a[s * la.batchStride + i * la.rowStride + l * la.columnStride]
                                    let y = b[s * lb.batchStride + l * lb.rowStride + j * lb.columnStride]
                                    return total - 0.5 * Double(x) * Double(y)
                                })
                        }
                    }
                }
                everyEngine { engine in
                    let out = multiply(FloatBuffer(a), la, FloatBuffer(b), lb, batch: batch, alpha: -0.5)
                    #expect(deviation(out.values, expected) < 1e-5, "\(engine)")
                }
            }
        }

        @Test(arguments: sizes)
        func doesNotDependOnTheThreads(m: Int, n: Int, k: Int) {
            let threads = Engine.threads
            defer { Engine.threads = threads }
            let (a, b) = (FloatBuffer(noise(m * k, "a")), FloatBuffer(noise(k * n, "b")))
            let runs = [1, 2, 5].map { count in
                Engine.threads = count
                return multiply(a, MatrixLayout(rows: m, columns: k), b, MatrixLayout(rows: k, columns: n)).values
            }
            #expect(runs.allSatisfy { $0 == runs[0] })
        }
    }
}
