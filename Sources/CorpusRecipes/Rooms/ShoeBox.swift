import Foundation

/// A rectangular room with equal walls.
package struct ShoeBox: Hashable, Sendable {
    /// m.
    package var size: SIMD3<Double>
    /// The absorption coefficient α of the walls, 0 to 1.
    package var absorption: Double

    /// m/s.
    static let speedOfSound = 343.0

    package var volume: Double { size.x * size.y * size.z }
    package var surface: Double { 2 * (size.x * size.y + size.y * size.z + size.z * size.x) }

    package init(size: SIMD3<Double>, absorption: Double) { (self.size, self.absorption) = (size, absorption) }

    /// The room whose walls give a reverberation time by Sabine's formula; `nil` where α would exceed 1.
    ///
    ///     α = 24 ln 10 · V / (c S T60)
    package init?(size: SIMD3<Double>, sabineT60: Double) {
        self.init(size: size, absorption: 0)
        absorption = 24 * log(10) * volume / (Self.speedOfSound * surface * sabineT60)
        guard absorption < 1 else { return nil }
    }

    /// Energy of the diffuse field falls as `e^{−δt}`, `δ = −c S ln(1 − α) / 4V`, in 1/s.
    var decay: Double { -Self.speedOfSound * surface * log(1 - absorption) / (4 * volume) }

    /// Eyring's reverberation time, `6 ln 10 / δ`, in s.
    package var eyringT60: Double { 6 * log(10) / decay }
}
