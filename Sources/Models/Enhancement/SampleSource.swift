package import Parallelism

/// A signal of one channel that is read range by range, from memory or from a file.
package protocol SampleSource {
    var count: Int { get }
    /// The samples of a range that lies inside the signal.
    func samples(in range: Range<Int>) throws -> [Float]
}

extension SampleSource {
    /// Ranges of a million samples that cover the signal, to limit the memory in use.
    package var blocks: [Range<Int>] { stride(from: 0, to: count, by: 1 << 20).map { $0..<min($0 + 1 << 20, count) } }

    /// The largest absolute sample.
    ///
    /// - Throws: `Interrupted`; errors of reading samples.
    package func peak(_ interruption: Interruption) throws -> Float {
        var peak: Float = 0
        for block in blocks {
            try interruption.check()
            for sample in try samples(in: block) { peak = max(peak, abs(sample)) }
        }
        return peak
    }
}

/// A signal in memory.
package struct MemorySamples: SampleSource {
    let all: [Float]
    package init(_ all: [Float]) { self.all = all }

    package var count: Int { all.count }
    package func samples(in range: Range<Int>) -> [Float] { range == all.indices ? all : Array(all[range]) }
}
