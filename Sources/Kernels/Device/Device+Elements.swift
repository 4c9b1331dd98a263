import CDevice

extension Device {
    /// A function of every element, with two parameters.
    func map(_ x: FloatBuffer, _ kind: Int, _ a: Float, _ b: Float) -> FloatBuffer {
        made("map", x.count) { unsafe $0.unary(Int32(kind), x.on(self), a, b) }
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
