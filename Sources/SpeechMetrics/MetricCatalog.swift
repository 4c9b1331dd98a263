public import Failures

/// The metrics by name: an immutable value, made once and passed down.
public struct MetricCatalog: Sendable {
    /// All metrics, in the order that tables list them.
    public let metrics: [any SpeechMetric]

    /// - Precondition: names are unique.
    public init(_ metrics: [any SpeechMetric]) {
        precondition(Set(metrics.map(\.name)).count == metrics.count, "two metrics share a name")
        self.metrics = metrics
    }

    /// The metrics' names, in the order of the catalog.
    public var names: [String] { metrics.map(\.name) }

    /// Names of the metrics for which the unprocessed input is no floor.
    public var unfloored: Set<String> { Set(metrics.filter { !$0.hasNoisyFloor }.map(\.name)) }

    /// The metric of that name.
    public subscript(name: String) -> (any SpeechMetric)? {
        metrics.first { $0.name == name }
    }

    /// The metrics of those names, in their order.
    public func named(_ names: [String]) throws(UnknownMetric) -> [any SpeechMetric] {
        var found: [any SpeechMetric] = []
        for name in names {
            guard let metric = self[name] else { throw UnknownMetric(name: name, known: self.names) }
            found.append(metric)
        }
        return found
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

/// An unknown metric name.
public struct UnknownMetric: Diagnostic, Hashable, Sendable {
    /// The name as it was written.
    public var name: String
    /// The names that there are.
    public var known: [String]

    public var summary: String { "unknown metric '\(name)'" }
    public var hint: String? { "known: \(known.joined(separator: ", "))" }
    public var category: FailureCategory { .request }
    public var description: String { line }
}
