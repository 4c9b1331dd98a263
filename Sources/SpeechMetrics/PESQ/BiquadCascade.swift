/// Second-order filters in a row, each in direct form II.
///
///     w_n = x_n − a₁ w_{n−1} − a₂ w_{n−2}        y_n = b₀ w_n + b₁ w_{n−1} + b₂ w_{n−2}
///
/// All sections advance at once, section `s` on the sample that the first met `s` steps before, so that a
/// step is a few vector operations and no section waits for another.
struct BiquadCascade: Sendable {
    private typealias Sections = SIMD16<Float>

    private let sectionCount: Int
    private var (b0, b1, b2, a1, a2) =
        (Sections.zero, Sections.zero, Sections.zero, Sections.zero, Sections.zero)

    /// Each section as `b₀, b₁, b₂, a₁, a₂`; at most 16.
    init(_ sections: [[Float]]) {
        precondition(sections.count <= Sections.scalarCount && sections.allSatisfy { $0.count == 5 })
        sectionCount = sections.count
        for (index, section) in sections.enumerated() {
            (b0[index], b1[index], b2[index]) = (section[0], section[1], section[2])
            (a1[index], a2[index]) = (section[3], section[4])
        }
    }

    /// Filters `samples[range]` in place, from rest.
    func filter(_ samples: inout [Float], in range: Range<Int>) {
        if sectionCount == 1 { return filterBySingleSection(&samples, in: range) }
        var (w1, w2, output) = (Sections.zero, Sections.zero, Sections.zero)
        let delay = sectionCount - 1
        for step in 0..<range.count + delay {
            let index = range.lowerBound + step
            var input = Self.shifted(output)
            input[0] = step < range.count ? samples[index] : 0
            let w0 = input - a1 * w1 - a2 * w2
            output = b0 * w0 + b1 * w1 + b2 * w2
            (w2, w1) = (w1, w0)
            if step >= delay { samples[index - delay] = output[delay] }
        }
    }

    private func filterBySingleSection(_ samples: inout [Float], in range: Range<Int>) {
        let (b0, b1, b2, a1, a2) = (b0[0], b1[0], b2[0], a1[0], a2[0])
        var (w1, w2): (Float, Float) = (0, 0)
        for index in range {
            let w0 = samples[index] - a1 * w1 - a2 * w2
            samples[index] = b0 * w0 + b1 * w1 + b2 * w2
            (w2, w1) = (w1, w0)
        }
    }

    /// Every lane's value in the lane above it.
    private static func shifted(_ v: Sections) -> Sections {
        Sections(
            0, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11], v[12], v[13], v[14])
    }
}

extension BiquadCascade {
    /// P.862.2's high-pass.
    static func headphones(_ sampleRate: Int) -> BiquadCascade { sampleRate == 16000 ? headphones16k : headphones8k }
    /// The band-pass of the delay search.
    static func alignment(_ sampleRate: Int) -> BiquadCascade { sampleRate == 16000 ? alignment16k : alignment8k }

    private static let headphones16k = BiquadCascade([[2.740826, -5.4816519, 2.740826, -1.9444777, 0.94597794]])
    private static let headphones8k = BiquadCascade([[2.6657628, -5.3315255, 2.6657628, -1.8890331, 0.89487434]])

    private static let alignment16k = BiquadCascade([
        [0.325631521, -0.086782860, -0.238848661, -1.079416490, 0.434583902],
        [0.403961804, -0.556985881, 0.153024077, -0.415115835, 0.696590244],
        [4.736162769, 3.287251046, 1.753289019, -1.859599046, 0.876284034],
        [0.365373469, 0, 0, -0.634626531, 0],
        [0.884811506, 0, 0, -0.256725271, 0.141536777],
        [0.723593055, -1.447186099, 0.723593044, -1.129587469, 0.657232737],
        [1.644910855, -1.817280902, 1.249658063, -1.778403899, 0.801724355],
        [0.633692689, -0.284644314, -0.319789663, 0, 0],
        [1.032763031, 0.268428979, 0.602913323, 0, 0],
        [1.001616361, -0.823749013, 0.439731942, -0.885778255, 0],
        [0.752472096, -0.375388990, 0.188977609, -0.077258216, 0.247230734],
        [1.023700575, 0.001661628, 0.521284240, -0.183867259, 0.354324187],
    ])

    private static let alignment8k = BiquadCascade([
        [0.885535424, -0.885535424, 0, -0.771070709, 0],
        [0.895092588, 1.292907193, 0.449260174, 1.268869037, 0.442025372],
        [4.049527940, -7.865190042, 3.815662102, -1.746859852, 0.786305963],
        [0.500002353, -0.500002353, 0, 0, 0],
        [0.565002834, -0.241585934, -0.306009671, 0.259688659, 0.249979657],
        [2.115237288, 0.919935084, 1.141240051, -1.587313419, 0.665935315],
        [0.912224584, -0.224397719, -0.641121413, -0.246029464, -0.556720590],
        [0.444617727, -0.307589321, 0.141638062, -0.996391149, 0.502251622],
    ])
}
