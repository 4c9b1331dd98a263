package import Audio
import Corpora
import Specs

extension ExperimentSpec {
    /// What is done with audio at another rate: a spec that waives the check of the rate reads it as if it had the
    /// spec's rate.
    package var ratePolicy: RatePolicy {
        data.resample ? .convert : waive[Finding.Code.rate.rawValue] != nil ? .ignore : .exact
    }
}
