import Foundation
import Kernels
import Tensors

/// Statistics of the embeddings of some recordings' references.
public struct EmbeddingStatistics: Hashable, Sendable, Codable {
    /// One reference: its recording, its noise's type, and its place in the plane of most variance.
    public struct Point: Hashable, Sendable, Codable {
        /// The recording that the reference belongs to.
        public var file: String
        /// The type of its noise; nil where the set does not state it.
        public var noise: String?
        /// Coordinates on the two principal axes, in the unit of the embedding.
        public var x, y: Double
    }

    /// One for each reference.
    public var points: [Point]
    /// Mean and standard deviation of `‖z‖`.
    public var norm, normSpread: Double
    /// The sum of the variances of all components.
    public var variance: Double
    /// The square root of `variance`, relative to the norm of the mean.
    public var spread: Double
    /// `exp(−Σ pᵢ ln pᵢ)` with the eigenvalues of the covariance as proportions: how many directions are in use.
    ///
    /// Roy & Vetterli, *The Effective Rank*, EUSIPCO 2007.
    public var effectiveRank: Double
    /// The share of the variance that lies between noise types; `nil` without two types.
    public var betweenTypes: Double?
    /// How often the nearest reference of another recording has the same type, and how often a drawn one would: over
    /// the references whose type another recording has too; `nil` without one.
    public var nearestAgrees, chance: Double?

    /// Embeddings that hardly differ carry no information for the network.
    public var isCollapsed: Bool { spread < 1e-3 }

    /// - Parameter embeddings: One row for each reference; of a sequence, its mean.
    /// - Throws: `LAPACKError` where LAPACK is not installed.
    public init(_ embeddings: [(file: String, noise: String?, values: [Float])]) throws {
        precondition(!embeddings.isEmpty, "statistics of no embedding")
        let rows = embeddings.map { $0.values.map(Double.init) }
        let count = Double(rows.count)
        let norms = rows.map { Self.dot($0, $0).squareRoot() }
        let norm = norms.reduce(0, +) / count
        let mean = rows[0].indices.map { column in rows.reduce(0) { $0 + $1[column] } / count }
        let centred = rows.map { row in zip(row, mean).map { $0 - $1 } }
        let variance = centred.reduce(0) { $0 + Self.dot($1, $1) } / count
        let size = Self.dot(mean, mean).squareRoot()
        // The covariance and this matrix of inner products share their eigenvalues other than zero.
        let gram = centred.map { a in centred.map { Self.dot(a, $0) / count } }
        let (values, vectors) = try LAPACK().eigensystem(of: gram)
        func coordinate(_ row: Int, _ axis: Int) -> Double {
            axis < values.count ? vectors[row][axis] * (max(0, values[axis]) * count).squareRoot() : 0
        }
        points = embeddings.indices.map {
            Point(file: embeddings[$0].file, noise: embeddings[$0].noise, x: coordinate($0, 0), y: coordinate($0, 1))
        }
        self.norm = norm
        normSpread = (norms.reduce(0) { $0 + ($1 - norm) * ($1 - norm) } / count).squareRoot()
        self.variance = variance
        spread = size > 0 ? variance.squareRoot() / size : variance > 0 ? .infinity : 0
        let total = values.reduce(0) { $0 + max(0, $1) }
        effectiveRank =
            total > 0
            ? exp(-values.reduce(0) { $0 + ($1 > 0 ? $1 / total * log($1 / total) : 0) }) : 0
        let types = embeddings.map(\.noise)
        betweenTypes = Self.betweenTypes(centred, types, total: variance * count)
        (nearestAgrees, chance) = Self.neighbours(rows, embeddings.map { ($0.file, $0.noise) })
    }

    private static func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

    private static func betweenTypes(_ centred: [[Double]], _ types: [String?], total: Double) -> Double? {
        let groups = Dictionary(grouping: types.indices.filter { types[$0] != nil }) { types[$0] }
        guard groups.count > 1, total > 0 else { return nil }
        let between = groups.values.reduce(0.0) { sum, members in
            let mean = centred[0].indices.map { column in
                members.reduce(0) { $0 + centred[$1][column] } / Double(members.count)
            }
            return sum + Double(members.count) * dot(mean, mean)
        }
        return between / total
    }

    private static func neighbours(_ rows: [[Double]], _ labels: [(file: String, noise: String?)]) -> (Double?, Double?)
    {
        var (agreeing, expected, asked) = (0.0, 0.0, 0.0)
        for index in rows.indices {
            guard let own = labels[index].noise else { continue }
            let others = rows.indices.filter { labels[$0].noise != nil && labels[$0].file != labels[index].file }
            func distance(_ other: Int) -> Double {
                zip(rows[index], rows[other]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            }
            let alike = others.count { labels[$0].noise == own }
            guard alike > 0, let nearest = others.min(by: { distance($0) < distance($1) }) else { continue }
            asked += 1
            agreeing += labels[nearest].noise == own ? 1 : 0
            expected += Double(alike) / Double(others.count)
        }
        return asked > 0 ? (agreeing / asked, expected / asked) : (nil, nil)
    }
}
