/// The metrics by name: an immutable value, made once and passed down.
public struct MetricCatalog: Sendable {
    /// All metrics, in the order that tables list them.
    public let metrics: [any SpeechMetric]

    /// - Precondition: names are unique.
    public init(_ metrics: [any SpeechMetric]) {
        precondition(Set(metrics.map(\.name)).count == metrics.count, "two metrics share a name")
        self.metrics = metrics
    }

    public var names: [String] { metrics.map(\.name) }

    /// The metric of that name.
    public subscript(name: String) -> (any SpeechMetric)? {
        metrics.first { $0.name == name }
    }

    /// Every metric this package has.
    public static let standard = MetricCatalog([
        PESQ(.wide),
        PESQ(.narrow),
        Intelligibility(extended: true),
        Intelligibility(extended: false),
        SignalRatio(.distortion),
        SignalRatio(.interference),
        SignalRatio(.artifacts),
        Composite(.signal),
        Composite(.background),
        Composite(.overall),
        SegmentalSNR(),
        LogSpectralDistance(),
    ])
}
