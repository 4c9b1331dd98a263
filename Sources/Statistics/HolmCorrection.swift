/// Holm's correction of the p values of one table.
public enum HolmCorrection {
    /// The adjusted values, in the order given: the chance of even one false "differs" in the table is at most the
    /// level.
    ///
    ///     p̃₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1) p₍ⱼ₎),   p₍₁₎ ≤ … ≤ p₍ₘ₎
    ///
    /// Holm, *A Simple Sequentially Rejective Multiple Test Procedure*, 1979.
    public static func adjusted(_ values: [Double]) -> [Double] {
        var (result, largest) = (values, 0.0)
        for (rank, place) in values.indices.sorted(by: { (values[$0], $0) < (values[$1], $1) }).enumerated() {
            largest = max(largest, min(1, Double(values.count - rank) * values[place]))
            result[place] = largest
        }
        return result
    }
}
