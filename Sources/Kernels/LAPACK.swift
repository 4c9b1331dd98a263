public import Failures
import Foundation

/// LAPACK as this machine has it (Debian's `liblapack3` or `libopenblas0`), opened when it is first needed: one figure
/// of `sgmse probe` needs it, and a program that links OpenBLAS would start its threads with every command.
@safe
public struct LAPACK: Sendable {
    private typealias SymmetricEigen =
        @convention(c) (
            UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafePointer<Int32>, UnsafeMutablePointer<Double>?,
            UnsafePointer<Int32>, UnsafeMutablePointer<Double>?, UnsafeMutablePointer<Double>?, UnsafePointer<Int32>,
            UnsafeMutablePointer<Int32>, Int, Int
        ) -> Void

    private let symmetricEigen: SymmetricEigen

    /// The names of the library, the first that can be opened wins.
    private static let names = ["liblapack.so.3", "libopenblas.so.0"]

    /// - Throws: `LAPACKError` where the library is not installed.
    public init() throws(LAPACKError) {
        for name in Self.names {
            guard let library = unsafe dlopen(name, RTLD_NOW | RTLD_LOCAL), let symbol = unsafe dlsym(library, "dsyev_")
            else { continue }
            unsafe symmetricEigen = unsafeBitCast(symbol, to: SymmetricEigen.self)
            return
        }
        throw LAPACKError(summary: "LAPACK is not installed: neither \(Self.names.joined(separator: " nor ")) is found")
    }

    /// Eigenvalues, the largest first, and eigenvectors of a symmetric matrix, by `dsyev`.
    ///
    /// The largest component of each vector is positive, so that the signs do not depend on the library.
    ///
    /// - Returns: `values[k]` belongs to the column `k` of `vectors`.
    /// - Throws: `LAPACKError` where the iteration does not converge.
    public func eigensystem(
        of matrix: [[Double]]
    ) throws(LAPACKError) -> (values: [Double], vectors: [[Double]]) {
        let n = matrix.count
        precondition(matrix.allSatisfy { $0.count == n }, "a matrix of \(n) rows that is not square")
        guard n > 0 else { return ([], []) }
        // Symmetric: rows and columns, which LAPACK stores one after the other, are the same.
        var (a, size, failure) = (matrix.flatMap(\.self), Int32(n), Int32(0))
        var rising = [Double](repeating: 0, count: n)
        var workSize = Int32(34 * n)
        var work = [Double](repeating: 0, count: Int(workSize))
        unsafe symmetricEigen("V", "U", &size, &a, &size, &rising, &work, &workSize, &failure, 1, 1)
        guard failure == 0 else {
            throw LAPACKError(summary: "LAPACK: the eigenvalues of \(n) dimensions were not found (dsyev: \(failure))")
        }
        let columns = (0..<n).reversed().map { column -> [Double] in
            let vector = Array(a[column * n..<(column + 1) * n])
            let largest = vector.max { abs($0) < abs($1) } ?? 0
            return largest < 0 ? vector.map { -$0 } : vector
        }
        return (rising.reversed(), (0..<n).map { row in columns.map { $0[row] } })
    }
}

/// LAPACK that is missing, or has failed.
public struct LAPACKError: Diagnostic, Hashable, Sendable {
    public var summary: String

    public var hint: String? {
        "install Debian's liblapack3 or libopenblas0, or put the folder of a cluster's OpenBLAS into LD_LIBRARY_PATH"
    }
    public var category: FailureCategory { .machine }
    public var description: String { line }
}
