package import Parallelism

/// A signal of one channel that is read by pieces, wherever it lies.
package protocol SampleSource {
    var count: Int { get }
    /// The samples of a range that lies inside the signal.
    func samples(in range: Range<Int>) throws -> [Float]
}

extension SampleSource {
    /// The ranges of a million samples that make up the signal, so that no more is in memory.
    package var blocks: [Range<Int>] { stride(from: 0, to: count, by: 1 << 20).map { $0..<min($0 + 1 << 20, count) } }

    /// The largest absolute sample.
    ///
    /// - Throws: `Interrupted`; what keeps samples from being read.
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
