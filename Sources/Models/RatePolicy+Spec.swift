package import Audio
import Corpora
import Specs

extension ExperimentSpec {
    /// What is done with audio at another rate: who waives the check of the rate has it read as if it were the spec's.
    package var ratePolicy: RatePolicy {
        data.resample ? .convert : waive[Finding.Code.rate.rawValue] != nil ? .ignore : .exact
    }
}
