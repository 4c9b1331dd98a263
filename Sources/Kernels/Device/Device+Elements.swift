import CDevice

extension Device {
    /// A function of every element, with two parameters.
    func map(_ x: FloatBuffer, _ kind: Int, _ a: Float, _ b: Float) -> FloatBuffer {
        made("map", x.count) { unsafe $0.unary(Int32(kind), x.on(self), a, b) }
    }

    /// The sum of all elements, or of their absolute values.
    func sum(_ kind: Int, _ x: FloatBuffer) -> Double {
        scalar("sum") {
            var handle = unsafe Optional(x.on(self))
            return unsafe $0.sums(Int32(kind), &handle, 1, 1, $1)
        }
    }

    /// Sums of each of `parts` equal pieces of every buffer.
    func sums(_ kind: Int, _ buffers: [FloatBuffer], parts: Int) -> [Double] {
        precondition(buffers.allSatisfy { parts > 0 && $0.count % parts == 0 }, "sums of \(parts) parts")
        let handles = unsafe buffers.map { unsafe Optional($0.on(self)) }
        var values = [Double](repeating: 0, count: buffers.count * parts)
        run("sums") { unsafe $0.sums(Int32(kind), handles, Int64(buffers.count), Int64(parts), &values) }
        return values
    }

    /// One step of Adam on a list of weights.
    func adam(_ list: [AdamBuffers], _ u: AdamUpdate, scale: Double = 1) {
        var settings = sgd_adam(
            rate: u.rate, beta1: u.beta1, beta2: u.beta2, epsilon: u.epsilon, correction1: 1 - power(u.beta1, u.count),
            correction2: 1 - power(u.beta2, u.count), decay: u.decay, scale: scale)
        func handles(_ part: (AdamBuffers) -> FloatBuffer?) -> [OpaquePointer?] {
            unsafe list.map { unsafe part($0)?.on(self) }
        }
        run("updateAdam") { table in
            unsafe table.adam(
                Int64(list.count), handles(\.weight), handles(\.gradient), handles(\.first), handles(\.second),
                handles(\.average), &settings)
        }
        for one in list {
            for written in [one.weight, one.first, one.second, one.average].compactMap(\.self) {
                written.forgetHost()
                written.packed.forget()
            }
        }
    }
}
