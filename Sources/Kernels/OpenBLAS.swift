import Foundation

/// OpenBLAS where this machine has it (Debian's `libopenblas0`), opened at run time to be measured beside the engine's
/// own products. Nothing is computed with it.
@safe
public struct OpenBLAS: Sendable {
    private typealias Product =
        @convention(c) (
            Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>?, Int32, UnsafePointer<Float>?, Int32,
            Float,
            UnsafeMutablePointer<Float>?, Int32
        ) -> Void
    private typealias Threads = @convention(c) (Int32) -> Void
    private typealias Configuration = @convention(c) () -> UnsafePointer<CChar>?

    private let product: Product
    private let threads: Threads
    /// Its version and the kernels that it chose.
    public let version: String

    /// - Returns: `nil` where there is none.
    public init?() {
        guard let library = unsafe dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL),
            let product = unsafe dlsym(library, "cblas_sgemm"),
            let threads = unsafe dlsym(library, "openblas_set_num_threads")
        else { return nil }
        unsafe self.product = unsafeBitCast(product, to: Product.self)
        unsafe self.threads = unsafeBitCast(threads, to: Threads.self)
        let configuration = unsafe dlsym(library, "openblas_get_config").map {
            unsafe unsafeBitCast($0, to: Configuration.self)
        }
        version = unsafe configuration?().map { unsafe String(cString: $0) } ?? "OpenBLAS"
    }

    /// `A B` of dense row-major matrices, `rows × inner` and `inner × columns`, with as many threads as the engine.
    public func multiply(_ a: FloatBuffer, _ b: FloatBuffer, rows: Int, inner: Int, columns: Int) -> FloatBuffer {
        precondition(
            a.count == rows * inner && b.count == inner * columns, "OpenBLAS: \(rows)×\(inner) by \(inner)×\(columns)")
        let c = FloatBuffer(count: rows * columns)
        threads(Int32(Engine.threads))
        let (rowMajor, plain) = (Int32(101), Int32(111))
        unsafe product(
            rowMajor, plain, plain, Int32(rows), Int32(columns), Int32(inner), 1, a.base, Int32(inner), b.base,
            Int32(columns), 0,
            c.base, Int32(columns))
        return c
    }
}
