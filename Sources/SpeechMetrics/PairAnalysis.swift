import Audio

/// A pair with a cache of intermediate results, so that metrics share their common computations.
///
/// STOI and ESTOI share their spectra, CSIG, CBAK and COVL their PESQ. Shared results depend on the pair alone, so
/// scores do not depend on which metrics are computed, or in which order. Used by one task.
public final class PairAnalysis {
    static let resamplerName = Resampler.name

    /// The signals that are compared.
    public let pair: SpeechPair
    private var results: [String: Any] = [:]

    public init(_ pair: SpeechPair) { self.pair = pair }

    /// The value of `make`, computed once per key; a failure is cached too.
    package func shared<Value>(
        _ key: String, _ make: (SpeechPair) throws(MetricFailure) -> Value
    ) throws(MetricFailure) -> Value {
        if let known = results[key] as? Result<Value, MetricFailure> { return try known.get() }
        let result: Result<Value, MetricFailure>
        do throws(MetricFailure) {
            result = .success(try make(pair))
        } catch {
            result = .failure(error)
        }
        results[key] = result
        return try result.get()
    }

    /// The same pair at another rate.
    func resampled(to rate: Int) throws(MetricFailure) -> PairAnalysis {
        try shared("resampled|\(rate)") { pair throws(MetricFailure) in
            let resampler = Resampler(from: pair.sampleRate, to: rate)
            do throws(ResamplingError) {
                return PairAnalysis(
                    SpeechPair(
                        clean: try resampler.resample(pair.clean),
                        noisy: try pair.noisy.map { samples throws(ResamplingError) in
                            try resampler.resample(samples)
                        },
                        enhanced: try resampler.resample(pair.enhanced), sampleRate: rate))
            } catch {
                throw .cannotResample(error.description)
            }
        }
    }
}
