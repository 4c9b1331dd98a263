public import Runs
import Statistics

/// Files of one speaker, which are not independent samples.
public enum SpeakerClusters {
    /// The number of each file's speaker; nil where a file's speaker is not known, or where there are too few of them
    /// for an error over speakers. Files are then treated as independent.
    public static func numbers(of files: [TestFile.ID], _ speakers: [TestFile.ID: String]) -> [Int]? {
        var numbers: [String: Int] = [:]
        let clusters = files.compactMap { file -> Int? in
            guard let speaker = speakers[file] else { return nil }
            if numbers[speaker] == nil { numbers[speaker] = numbers.count }
            return numbers[speaker]
        }
        return clusters.count == files.count && numbers.count >= Bootstrap.fewestUnits ? clusters : nil
    }
}
