public import SpecLanguage

/// Which weights of a training: their moving average, or the optimiser's own.
public enum WeightChoice: String, SettingName {
    /// The moving average.
    case ema
    /// As the optimiser left them.
    case raw
}
