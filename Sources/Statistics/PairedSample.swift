/// Differences of two systems on the same files, grouped into clusters of dependent files, for each seed.
///
/// Files of one speaker are not independent samples, so resampling draws whole clusters. Where nothing is known of
/// the speakers, each file is a cluster of its own.
public struct PairedSample: Hashable, Sendable {
    /// The number of files.
    public let files: Int
    /// The number of clusters, which are the units of resampling.
    public let clusters: Int
    /// The number of seeds, each with one difference per file.
    public let seeds: Int
    /// The number of files of each cluster.
    let sizes: [Double]
    /// The summed differences of each cluster with each seed: that of cluster `c` and seed `s` at `c · seeds + s`.
    let sums: [Double]
    /// The mean over the seeds, by file.
    let perFile: [Double]

    /// - Parameters:
    ///   - differences: By seed and file.
    ///   - clusters: The cluster of each file, by any name; each file is its own where nil.
    /// - Precondition: every seed has a finite difference for every file, and there is at least one of both.
    public init(_ differences: [[Double]], clusters names: [Int]? = nil) {
        precondition(differences.first?.isEmpty == false, "a paired sample needs a file and a seed")
        let (seeds, files) = (differences.count, differences[0].count)
        precondition(differences.allSatisfy { $0.count == files }, "every seed needs a difference for every file")
        precondition(
            names.map { $0.count == files } ?? true, "\(names?.count ?? 0) clusters are named for \(files) files")
        var places: [Int: Int] = [:]
        var (sizes, sums): ([Double], [Double]) = ([], [])
        for file in 0..<files {
            let place = places[names?[file] ?? file] ?? sizes.count
            if place == sizes.count {
                places[names?[file] ?? file] = place
                sizes.append(0)
                sums += Array(repeating: 0, count: seeds)
            }
            sizes[place] += 1
            for seed in 0..<seeds { sums[place * seeds + seed] += differences[seed][file] }
        }
        (self.files, self.clusters, self.seeds) = (files, sizes.count, seeds)
        (self.sizes, self.sums) = (sizes, sums)
        perFile = (0..<files).map { file in differences.reduce(0) { $0 + $1[file] } / Double(seeds) }
    }

    /// The mean over files and seeds.
    public var mean: Double { sums.reduce(0, +) / Double(files * seeds) }

    /// The summed differences of each cluster, averaged over the seeds.
    var totals: [Double] {
        (0..<clusters).map { cluster in (0..<seeds).reduce(0) { $0 + sums[cluster * seeds + $1] } / Double(seeds) }
    }

    /// The mean difference with each seed.
    var seedMeans: [Double] {
        (0..<seeds).map { seed in (0..<clusters).reduce(0) { $0 + sums[$1 * seeds + seed] } / Double(files) }
    }

    /// Per cluster the sum of its files' deviations from the overall mean.
    private var residuals: [Double] {
        let mean = mean
        return zip(totals, sizes).map { $0 - mean * $1 }
    }

    /// The standard error of the mean over clusters (cluster-robust, with the factor K / (K − 1)).
    ///
    /// - Precondition: there are at least two clusters.
    public var standardError: Double {
        let count = Double(clusters)
        return (count / (count - 1) * residuals.reduce(0) { $0 + $1 * $1 }).squareRoot() / Double(files)
    }

    /// The two-sided p value of a t test of "no difference" with the cluster-robust standard error and K − 1 degrees of
    /// freedom (Cameron and Miller, *A Practitioner's Guide to Cluster-Robust Inference*, 2015); nil for one cluster.
    ///
    /// Fast; ``SignFlipTest`` makes fewer assumptions.
    public var tTestP: Double? {
        guard clusters > 1 else { return nil }
        let (mean, error) = (mean, standardError)
        guard error > 0 else { return mean == 0 ? 1 : 0 }
        return StudentDistribution(freedom: Double(clusters - 1)).twoSided(mean / error)
    }

    /// Cohen's d_z: the mean difference over the standard deviation (n − 1) of the files' differences; nil where they
    /// do not vary.
    ///
    /// Cohen, *Statistical Power Analysis for the Behavioral Sciences*, 1988, §2.3.5.
    public var effectSize: Double? {
        guard files > 1 else { return nil }
        let mean = mean
        let variance = perFile.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(files - 1)
        // Equal differences have a spread of 0 up to rounding.
        guard variance.squareRoot() > 1e-12 * abs(mean), variance > 0 else { return nil }
        return mean / variance.squareRoot()
    }
}
