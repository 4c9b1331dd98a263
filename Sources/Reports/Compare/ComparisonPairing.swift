import Runs
import Statistics

extension ScoreSnapshot.Series {
    /// The finite scores of the files that both series have.
    func paired(with other: Self) -> [(file: TestFile.ID, mine: Double, other: Double)] {
        var pairs: [(file: TestFile.ID, mine: Double, other: Double)] = []
        var (i, j) = (0, 0)
        while i < files.count, j < other.files.count {
            if files[i] == other.files[j] {
                if values[i].isFinite, other.values[j].isFinite { pairs.append((files[i], values[i], other.values[j])) }
                (i, j) = (i + 1, j + 1)
            } else if files[i] < other.files[j] {
                i += 1
            } else {
                j += 1
            }
        }
        return pairs
    }
}

extension ComparisonReport.Cell {
    /// The means of this cell and of another, over the files of which both have finite scores.
    func means(with other: Self) -> (mine: Double, other: Double)? {
        let (mine, theirs) = (averaged, other.averaged)
        let pairs = mine.paired(with: theirs)
        guard !pairs.isEmpty else { return nil }
        let count = Double(pairs.count)
        return (pairs.reduce(0) { $0 + $1.mine } / count, pairs.reduce(0) { $0 + $1.other } / count)
    }

    /// The differences from another cell on the same files: seed by seed where both have the same ones, otherwise
    /// between the means over the seeds. nil where no file has a score in all of them.
    func differences(from other: Self, _ speakers: SpeakerClusters) -> (sample: PairedSample, unit: String)? {
        let shared = samples.compactMap { sample in
            other.samples.first { $0.seed == sample.seed }.map { (sample.series, $0.series) }
        }
        let isBySeed = shared.count == samples.count && shared.count == other.samples.count
        let pairs = isBySeed ? shared : [(averaged, other.averaged)]
        let differences = pairs.map { pair in
            Dictionary(pair.0.paired(with: pair.1).map { ($0.file, $0.mine - $0.other) }) { first, _ in first }
        }
        let files = (differences.first ?? [:]).keys.filter { file in differences.allSatisfy { $0[file] != nil } }
            .sorted()
        guard !files.isEmpty else { return nil }
        let clusters = speakers.clusters(of: files)
        let values = differences.map { one in files.map { one[$0] ?? 0 } }
        return (PairedSample(values, clusters: clusters), clusters == nil ? "files" : "speakers")
    }

    /// Each file's mean over the seeds; NaN where one of them has no score.
    private var averaged: ScoreSnapshot.Series {
        guard samples.count > 1 else { return samples.first?.series ?? .init() }
        var sums: [TestFile.ID: (sum: Double, count: Int)] = [:]
        for sample in samples {
            for (file, value) in zip(sample.series.files, sample.series.values) {
                let (sum, count) = sums[file] ?? (0, 0)
                sums[file] = (sum + value, count + 1)
            }
        }
        let files = sums.keys.sorted()
        return .init(
            files: files,
            values: files.map { file in
                let (sum, count) = sums[file] ?? (0, 0)
                return count == samples.count ? sum / Double(count) : .nan
            })
    }
}

/// Which files are of one speaker.
struct SpeakerClusters {
    private var numbers: [TestFile.ID: Int] = [:]

    init(_ snapshot: ScoreSnapshot, _ options: ComparisonReport.Options) {
        guard !options.ignoresSpeakers else { return }
        var known: [String: Int] = [:]
        for (id, file) in snapshot.files.sorted(by: { $0.key < $1.key }) {
            guard let speaker = file.speaker else { continue }
            known[speaker] = known[speaker] ?? known.count
            numbers[id] = known[speaker]
        }
    }

    /// The speaker's number for each file; nil where the speaker of one is not known.
    func clusters(of files: [TestFile.ID]) -> [Int]? {
        let found = files.compactMap { numbers[$0] }
        return found.count == files.count ? found : nil
    }
}
