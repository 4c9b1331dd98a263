#if canImport(Glibc)
    import Glibc
#endif

/// Takes values of an axis to places on the paper, with ticks at round values.
struct PlotScale {
    private let isLogarithmic: Bool
    private let low: Double
    private let high: Double
    private let start: Double
    private let end: Double
    let ticks: [(value: Double, label: String)]

    /// - Parameters:
    ///   - values: Values that the range must contain.
    ///   - start, end: The places of the lowest and the highest value.
    ///   - most: About how many ticks.
    init(
        _ axis: Plot.Axis, _ values: [Double], from start: Double, to end: Double, most: Int, includesZero: Bool = false
    ) {
        (self.start, self.end) = (start, end)
        let finite = values.filter { $0.isFinite && (!axis.isLogarithmic || includesZero || $0 > 0) }
        // Zero has no place on a logarithmic axis.
        isLogarithmic = axis.isLogarithmic && !finite.isEmpty && !includesZero
        guard axis.categories.isEmpty else {
            (low, high) = (-0.6, Double(axis.categories.count) - 0.4)
            ticks = axis.categories.enumerated().map { (Double($0), $1) }
            return
        }
        var (least, greatest) = (finite.min() ?? 0, finite.max() ?? 1)
        if includesZero { (least, greatest) = (min(0, least), max(0, greatest)) }
        if isLogarithmic {
            let (first, last) = (log10(least).rounded(.down), log10(greatest).rounded(.up))
            (low, high) = (first, max(last, first + 1))
            let step = max(1, ((high - low) / Double(max(1, most))).rounded(.up))
            let (low, count) = (low, Int(((high - low) / step).rounded(.down)))
            ticks = (0...max(0, count)).map { low + step * Double($0) }.map { (pow(10, $0), Self.power($0)) }
        } else {
            if greatest - least < 1e-12 * max(1, abs(least)) { (least, greatest) = (least - 0.5, greatest + 0.5) }
            let step = Self.roundStep((greatest - least) / Double(max(1, most)))
            (low, high) = ((least / step).rounded(.down) * step, (greatest / step).rounded(.up) * step)
            let digits = max(0, Int(-log10(step).rounded(.down)))
            let (low, count) = (low, Int(((high - low) / step).rounded()))
            ticks = (0...max(1, count)).map { low + Double($0) * step }.map { ($0, Self.short($0, digits: digits)) }
        }
    }

    func place(_ value: Double) -> Double {
        let share = ((isLogarithmic ? log10(max(value, 1e-300)) : value) - low) / (high - low)
        return start + share * (end - start)
    }

    /// 1, 2 or 5 times a power of ten, at least `step`.
    private static func roundStep(_ step: Double) -> Double {
        let power = pow(10, log10(step).rounded(.down))
        let factor = [1.0, 2, 5, 10].first { $0 * power >= step * 0.999 } ?? 10
        return factor * power
    }

    /// `120k` for great round numbers, as steps of training are.
    private static func short(_ value: Double, digits: Int) -> String {
        let whole = value.rounded()
        guard digits == 0, abs(whole) >= 10_000, whole.truncatingRemainder(dividingBy: 1000) == 0 else {
            return value.fixed(digits)
        }
        return (whole / 1000).fixed(0) + "k"
    }

    private static func power(_ exponent: Double) -> String {
        abs(exponent) <= 3 ? pow(10, exponent).fixed(max(0, Int(-exponent))) : "1e\(Int(exponent))"
    }
}
