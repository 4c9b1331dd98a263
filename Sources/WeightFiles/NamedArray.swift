/// A dense array as it lies in a file: row-major values, and perhaps a name.
///
/// Whatever the stored type, `values` holds the numbers as `Float`. Integer and Boolean arrays also keep
/// `integers`, exactly. A complex array has one more axis of extent 2 at the end, real part first.
public struct NamedArray: Hashable, Sendable {
    /// The tensor's name in the file; `nil` for a member of a list, as in `shadow_params`.
    public var name: String?
    /// Extents of the axes, outermost first; empty for a scalar.
    public var shape: [Int]
    /// The elements in row-major order, converted to `Float`.
    public var values: [Float]
    /// The exact values of an integer or Boolean array (bit patterns for `uint64` above 2⁶³).
    public var integers: [Int64]?
    /// The type of the elements in the file.
    public var type: ElementType

    /// A `float32` array.
    ///
    /// - Precondition: `values.count` is the product of `shape`.
    public init(name: String? = nil, shape: [Int], values: [Float]) {
        let count = shape.reduce(1, *)
        precondition(values.count == count, "\(values.count) values for shape \(shape), which has \(count)")
        (self.name, self.shape, self.values) = (name, shape, values)
        (integers, type) = (nil, .float32)
    }

    /// An `int64` array.
    ///
    /// - Precondition: `integers.count` is the product of `shape`.
    public init(name: String? = nil, shape: [Int], integers: [Int64]) {
        let count = shape.reduce(1, *)
        precondition(integers.count == count, "\(integers.count) values for shape \(shape), which has \(count)")
        (self.name, self.shape, self.integers) = (name, shape, integers)
        values = integers.map(Float.init)
        type = .int64
    }

    /// An array as decoded from a file.
    init(name: String?, shape: [Int], type: ElementType, elements: ElementType.Elements) {
        self.name = name
        self.shape = type.isComplex ? shape + [2] : shape
        self.type = type
        (values, integers) = (elements.values, elements.integers)
    }

    /// The number of elements of `shape`, or nil where it is negative or overflows.
    static func elementCount(of shape: [Int]) -> Int? {
        guard shape.allSatisfy({ $0 >= 0 }) else { return nil }
        // Zeros are left out of the product, so that the others are still checked for overflow.
        var count = 1
        for extent in shape where extent > 0 {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            if overflow { return nil }
            count = product
        }
        return shape.contains(0) ? 0 : count
    }
}
