/// Detects a diverging loss before it becomes infinite or NaN.
///
///     mean(last 25 losses) > growth · min over the past of such means
///
/// Single steps are not compared: the loss of score matching varies by orders of magnitude with the drawn time.
public struct LossWatch: Sendable {
    /// Steps in a mean.
    public static let window = 25

    private let growth: Double
    private var recent: [Double] = []
    private var least = Double.infinity

    /// - Parameter history: The losses of the steps already made.
    public init(growth: Double, history: [Double] = []) {
        self.growth = growth
        for loss in history { _ = add(loss) }
    }

    /// Takes the loss of one more step.
    ///
    /// - Returns: The average and its least value so far, if the loss explodes.
    public mutating func add(_ loss: Double) -> (mean: Double, least: Double)? {
        guard loss.isFinite else { return nil }
        recent.append(loss)
        if recent.count > Self.window { recent.removeFirst() }
        guard recent.count == Self.window else { return nil }
        let mean = recent.reduce(0, +) / Double(Self.window)
        defer { least = min(least, mean) }
        return least > 0 && mean > growth * least ? (mean, least) : nil
    }
}
