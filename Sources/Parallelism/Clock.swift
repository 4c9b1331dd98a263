extension ContinuousClock.Instant {
    /// Seconds from this instant on.
    package var secondsUntilNow: Double {
        let passed = (ContinuousClock.now - self).components
        return Double(passed.seconds) + Double(passed.attoseconds) * 1e-18
    }
}
