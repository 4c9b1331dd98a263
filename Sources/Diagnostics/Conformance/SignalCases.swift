import Audio
import Diffusion
import Foundation
import Models
import Objectives
import Specs
import Tensors
import WeightFiles

extension ConformanceCase {
    /// The front end of the case's hyper-parameters.
    var frontEnd: FrontEnd {
        let h = hyperparameters
        let factor = h["spec_factor"]?.number ?? 0.15
        let compression: SpectralCompression =
            switch h["transform_type"]?.text {
            case "log": .log(factor: factor)
            case "none": .none
            default: .exponent(alpha: h["spec_abs_exponent"]?.number ?? 0.5, factor: factor)
            }
        return FrontEnd(
            stft: ShortTimeFourier(
                size: h["n_fft"]?.int ?? 510, hop: h["hop_length"]?.int ?? 128,
                window: .init(rawValue: h["window"]?.text ?? "hann") ?? .hann),
            compression: compression)
    }

    /// The rows of a stored `[B, L]`, or the one row of `[L]`.
    func rows(_ name: String) throws -> [[Float]] {
        let array = try array(name)
        let length = array.shape[array.shape.count - 1]
        return stride(from: 0, to: array.values.count, by: length).map { Array(array.values[$0..<$0 + length]) }
    }
}

extension ConformanceChecker {
    /// STFT, compression and their inverses; or the cutting of a training pair.
    static let transform = ConformanceChecker("transform") { one, _, report in
        one.has("X") ? try segment(one, &report) : try roundTrip(one, &report)
    }

    private static func roundTrip(_ one: ConformanceCase, _ report: inout ConformanceReport) throws {
        let frontEnd = one.frontEnd
        let audio = try one.rows("audio")
        try one.checkTransform(audio[0].count)
        func compare(_ name: String, _ value: Tensor, _ expected: Tensor, _ tolerance: String) throws {
            report.compare(name, value.values, expected.values, relmax: try one.tolerance(tolerance))
        }
        report.compare(
            "window", frontEnd.stft.window, try one.array("window").values, relmax: try one.tolerance("window"))
        let stft = frontEnd.stft.forward(audio)
        let (storedSTFT, storedForward) = (try one.spectrum("stft"), try one.spectrum("spec_fwd"))
        let storedBack = try one.spectrum("spec_back")
        try compare("stft", stft, storedSTFT, "stft")
        try compare(
            "spec_fwd of the stored stft", frontEnd.compression.compress(storedSTFT), storedForward,
            "spec_fwd_from_given_stft")
        try compare("spec_fwd", frontEnd.compression.compress(stft), storedForward, "spec_fwd_from_own_stft")
        try compare(
            "spec_back of the stored spec_fwd", frontEnd.compression.expand(storedForward), storedBack,
            "spec_back_from_given_spec_fwd")
        let length = one.hyperparameters["istft_length"]?.int
        let weights = frontEnd.stft.squaredWindows(storedBack.shape[2])
        try compareSynthesis(
            "istft of the stored spec_back", frontEnd.stft.inverse(storedBack, length: length), weights, one,
            "istft_from_given_spec_back", &report)
        try compareSynthesis(
            "audio", frontEnd.audio(frontEnd.spectrogram(audio), length: length), weights, one, "audio_roundtrip",
            &report)
    }

    /// Compares signals that an inverse STFT made: sums of windowed frames, over the sums of the squared windows.
    ///
    /// Over the last half window that divisor falls to 1e-9, and the quotient is the rounding of whichever FFT made the
    /// frames: the reference in single and in double precision is further apart there than the tolerance. So the
    /// quotients are compared where the divisor is at least 1e-5 of its largest, or no window reaches, and the sums,
    /// undivided, everywhere.
    private static func compareSynthesis(
        _ name: String, _ signals: Tensor, _ weights: [Double], _ one: ConformanceCase, _ tolerance: String,
        _ report: inout ConformanceReport
    ) throws {
        let expected = try one.rows("istft")
        let tolerance = try one.tolerance(tolerance)
        let length = expected[0].count
        guard signals.shape == [expected.count, length] else {
            return report.require(name, false, "is \(signals.shape), not \([expected.count, length])")
        }
        let weights = (0..<length).map { $0 < weights.count ? weights[$0] : 0 }
        let limit = 1e-5 * (weights.max() ?? 0)
        let sound = weights.indices.filter { weights[$0] >= limit || weights[$0] == 0 }
        let rows = expected.indices.map { Array(signals.values[$0 * length..<($0 + 1) * length]) }
        func sums(_ row: [Float]) -> [Float] { zip(row, weights).map { $0 * Float($1) } }
        report.compare(
            name, rows.flatMap { row in sound.map { row[$0] } }, expected.flatMap { row in sound.map { row[$0] } },
            relmax: tolerance)
        if sound.count < length {
            report.compare("\(name), undivided", rows.flatMap(sums), expected.flatMap(sums), relmax: tolerance)
        }
    }

    private static func segment(_ one: ConformanceCase, _ report: inout ConformanceReport) throws {
        let crop = SegmentRule(
            samples: ((one.hyperparameters["num_frames"]?.int ?? 256) - 1) * one.frontEnd.stft.hop,
            normalization: .init(rawValue: one.hyperparameters["normalize"]?.text ?? "noisy") ?? .noisy)
        let (clean, noisy) = (try one.rows("clean")[0], try one.rows("noisy")[0])
        let start = one.json["scalars"]?["crop_start"]?.int ?? crop.centre(of: noisy.count)
        guard clean.count == noisy.count, start >= 0, start <= max(0, noisy.count - crop.samples) else {
            throw ConformanceError(
                id: one.id, reason: "'scalars.crop_start' is \(start), outside of the \(noisy.count) samples of 'noisy'"
            )
        }
        try one.checkTransform(crop.samples)
        let pair = crop.cut(clean: clean, noisy: noisy, start: start)
        for (name, signal) in [("X", pair.clean), ("Y", pair.noisy)] {
            report.compare(
                name, one.frontEnd.spectrogram([signal]).values, try one.spectrum(name).values,
                relmax: try one.tolerance("relmax"))
        }
    }

    /// Filling up frames.
    static let padding = ConformanceChecker("pad_spec") { one, _, report in
        guard let padding = FramePadding(rawValue: one.hyperparameters["mode"]?.text ?? "") else {
            throw ConformanceError(id: one.id, reason: "unknown padding")
        }
        let names = (one.json["complex"]?.elements ?? []).compactMap(\.text).filter { $0.hasPrefix("in_") }
        for name in names.sorted() {
            let frames = name.dropFirst(3)
            let padded = padding.pad(try one.spectrogram(name), multiple: one.hyperparameters["multiple"]?.int ?? 64)
            report.compare("\(frames) frames", padded.values, try one.spectrogram("out_\(frames)").values, relmax: 0)
        }
    }

    /// Sample-rate conversion.
    static let resampling = ConformanceChecker("resample") { one, _, report in
        let h = one.hyperparameters
        let resampler = Resampler(from: try one.rate("orig_sr"), to: try one.rate("target_sr"))
        let output = try one.rows("input").flatMap { try resampler.resample($0) }
        report.compare("output", output, try one.array("output").values, relmax: 1e-4)
    }
}

extension ConformanceCase {
    fileprivate func rate(_ name: String) throws -> Int {
        guard let rate = hyperparameters[name]?.int else {
            throw ConformanceError(id: id, reason: "has no hyperparameters.\(name)")
        }
        return rate
    }

    /// Whether the transform takes signals of a length, and the arrays have its bins.
    fileprivate func checkTransform(_ samples: Int) throws {
        let stft = frontEnd.stft
        guard samples >= stft.shortestSignal else {
            throw ConformanceError(
                id: id, reason: "\(samples) samples are too few for 'hyperparameters.n_fft' \(stft.size)")
        }
        for name in ["stft", "X"] where has(name) {
            let bins = try array(name + "_re").shape[1]
            guard bins == stft.size / 2 + 1 else {
                throw ConformanceError(
                    id: id, reason: "the array '\(name)' has \(bins) bins; n_fft \(stft.size) has \(stft.size / 2 + 1)")
            }
        }
    }

    /// A complex array `[B, F, N]` as `[B, F, N, 2]`.
    func spectrum(_ name: String) throws -> Tensor {
        let (re, im) = (try array(name + "_re"), try array(name + "_im"))
        return Tensor(zip(re.values, im.values).flatMap { [$0, $1] }, shape: re.shape + [2])
    }
}
