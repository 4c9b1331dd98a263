import Audio
import Corpora
import Foundation
import SpecLanguage

/// The law `mix`: a clean recording and a cut of noise at a drawn or stated level.
///
///     noisy = clean + g noise,    20 log10 g = L(clean) − L(noise) − SNR
///
/// with `L` the mean square of the whole file or the integrated loudness of ITU-R BS.1770. A noise shorter than the
/// speech is repeated, a longer one cut at a random place; a cut of silence is drawn again.
struct MixLaw: MixingLaw {
    static let form = EntryDescriptor(
        "mix", "Clean recordings with noise at drawn or stated levels",
        parameters: [
            .text("noise", default: .required, "The noise: a source, or a folder in it."),
            .list(
                "noise_files", of: .text, default: [],
                "Patterns of the noise files that are taken; all if none is given."),
            .list("noise_without", of: .text, default: [], "Patterns of noise files that are left out."),
            .list(
                "noise_groups", of: .text, default: [],
                "Only noise of these groups of ESC-50: \(ESC50.groups.joined(separator: ", "))."),
            .text(
                "noise_type", default: "folder",
                "How a noise's type is told: folder, name, esc-50, or a regular expression with one group."),
            .number("shortest_noise", default: 0.0, in: .nonNegative, unit: "s", "Shorter noises are left out."),
            .text("channel", default: "1", "Which channel of the noise: its number, or random."),
            .number("trim", default: 0.0, in: .nonNegative, unit: "s", "So much is left out at both ends of a noise."),
            .list("trimmed", of: .text, default: ["*"], "Patterns of the noise files that trim concerns."),
            .list("snr", of: .number(.between(-200, 200)), default: [], "Least and most SNR in dB, drawn uniformly."),
            .list("levels", of: .number(.between(-200, 200)), default: [], "SNRs in dB, a set for each: test-0dB, …"),
            .number(
                "snr_step", default: 0.0, in: .nonNegative, unit: "dB", "Drawn SNRs are rounded to multiples of it."),
            .oneOf(
                "draw", ["file", "level"], default: "file",
                "Whether the levels of a file share one draw of noise, or each has its own."),
            .oneOf(
                "measure", LevelMeasure.allCases.map(\.rawValue), default: "power",
                "What levels are: mean squares of whole files, or loudness by ITU-R BS.1770."),
            .oneOf(
                "short_noise", ["repeat", "redraw"], default: .absent,
                "Whether a noise shorter than the speech is repeated, or another is drawn; repeated if absent."),
            .oneOf(
                "guard", ["none", "scale", "raise"], default: "scale",
                "Against clipping: nothing, both files scaled alike, or the SNR raised by 1 dB at a time."),
            .number(
                "ceiling", default: 0.99, in: Bounds(from: 0, to: 1, excludesLower: true),
                "The highest peak that guard lets pass."),
        ], facts: ())

    private let noise: String
    private let (files, excluded, groups, trimmed): ([String], [String], [String], [String])
    private let typeText: String
    private let (shortest, trim, step, ceiling): (Double, Double, Double, Double)
    private let channelText: String
    private let (range, levels): ([Double], [Double])
    private let (draw, guardName): (String, String)
    private let measure: LevelMeasure
    private let repeatsNoise: Bool

    init(_ settings: Settings) {
        noise = settings.text("noise")
        (files, excluded) = (settings.texts("noise_files"), settings.texts("noise_without"))
        (groups, trimmed) = (settings.texts("noise_groups"), settings.texts("trimmed"))
        (typeText, channelText) = (settings.text("noise_type"), settings.text("channel"))
        (shortest, trim) = (settings.number("shortest_noise"), settings.number("trim"))
        (step, ceiling) = (settings.number("snr_step"), settings.number("ceiling"))
        (range, levels) = (settings.numbers("snr"), settings.numbers("levels"))
        repeatsNoise = settings.optionalText("short_noise") != "redraw"
        (draw, guardName) = (settings.text("draw"), settings.text("guard"))
        measure = LevelMeasure(rawValue: settings.text("measure")) ?? .power
    }

    var places: [String] { [noise] }

    var problems: [String] {
        [
            range.isEmpty == levels.isEmpty ? "give either 'snr', a range, or 'levels', a list" : nil,
            !range.isEmpty && SyntheticLaw.range(range) == nil
                ? "'snr' wants two numbers, the least and the most" : nil,
            Set(levels).count < levels.count ? "a level is given twice" : nil,
            NoiseType(typeText) == nil
                ? "'noise_type' is folder, name, esc-50, or a regular expression with one group" : nil,
            channelText != "random" && (Int(channelText) ?? 0) < 1 ? "'channel' is a number from 1, or random" : nil,
            groups.isEmpty || Set(groups).isSubset(of: ESC50.groups)
                ? nil : "the groups are \(ESC50.groups.joined(separator: ", "))",
            groups.isEmpty || typeText == "esc-50" ? nil : "'noise_groups' needs noise_type: esc-50",
        ].compactMap(\.self)
    }

    func plan(_ recipe: Recipe, _ sources: SourceFolders, skipsBad: Bool) throws -> MixingPlan {
        var list = try recipe.items(sources, skipsBad: skipsBad)
        let root = try sources.folder(noise)
        let type = NoiseType(typeText) ?? .folder
        let names = try root.files().filter { file in
            (files.isEmpty || Glob.matches(file, files)) && !Glob.matches(file, excluded)
                && (groups.isEmpty || type.group(of: file).map(groups.contains) ?? false)
        }
        let bank = try NoiseBank(
            root: root, label: noise, names: names, rate: recipe.rate, shortest: shortest,
            channel: Int(channelText), trim: trim, trimmed: trimmed, repeats: repeatsNoise, skipsBad: skipsBad)
        list.skipped += bank.skipped
        let measure = measure
        return MixingPlan(list: list, remarks: bank.remarks, level: { measure.level(of: $0, rate: recipe.rate) }) {
            item in
            try pairs(of: item, recipe, bank, type)
        }
    }

    private func pairs(of item: Item, _ recipe: Recipe, _ bank: NoiseBank, _ type: NoiseType) throws -> [MadePair] {
        let speech = try item.speech(of: recipe)
        guard speech.meanSquare > 0 else {
            throw CorpusError(item.path, .impossible("it is silent: no SNR can be made of it"))
        }
        var draws = item.draws(seed: recipe.seed, "mix")
        var cut = try bank.cut(of: speech.count, &draws)
        var pairs: [MadePair] = []
        for (index, asked) in (levels.isEmpty ? [drawnSNR(item.snrPart, &draws)] : levels).enumerated() {
            if draw == "level", index > 0 {
                var own = item.draws(seed: recipe.seed, "mix at \(asked)")
                cut = try bank.cut(of: speech.count, &own)
            }
            cut.samples.fade(Int(item.mixtureRamp * Double(recipe.rate)))
            let made = mixture(speech, cut.samples, asked, recipe.rate)
            var entry = item.entry(seed: recipe.seed)
            (entry.noise, entry.snr) = (type.type(of: cut.file), made.snr)
            entry.other.merge([
                "noise_file": "\(noise)/\(cut.file)", "noise_start_s": Decimals.text(cut.start, 4),
                "noise_channel": "\(cut.channel + 1)",
                "noise_gain": "\(Float(made.noiseGain))", "gain": "\(Float(made.pair.gain))",
            ]) { $1 }
            entry.other["noise_group"] = type.group(of: cut.file)
            let set = levels.isEmpty ? item.set : "\(item.set)-\(Self.label(asked))dB"
            pairs.append(MadePair(set: set, entry: entry, clean: made.pair.clean, noisy: made.pair.noisy))
        }
        return pairs
    }

    private static func label(_ level: Double) -> String { level == level.rounded() ? "\(Int(level))" : "\(level)" }

    private func drawnSNR(_ part: (index: Int, count: Int)?, _ draws: inout Draws) -> Double {
        let (index, count) = part.map { (Double($0.index), Double($0.count)) } ?? (0, 1)
        let width = (range[1] - range[0]) / count
        let drawn = draws.uniform(
            range[0] + index * width...(index + 1 == count ? range[1] : range[0] + (index + 1) * width))
        return step > 0 ? Double(Decimals.text((drawn / step).rounded() * step, 6)) ?? drawn : drawn
    }

    private func mixture(
        _ speech: [Float], _ noise: [Float], _ asked: Double, _ rate: Int
    ) -> (pair: Mixture, snr: Double, noiseGain: Double) {
        var snr = asked
        let difference = measure.level(of: speech, rate: rate) - measure.level(of: noise, rate: rate)
        while true {
            let gain = pow(10, (difference - snr) / 20)
            var noisy = speech
            noisy.add(noise, gain: Float(gain))
            // Beyond 200 dB the speech itself is what clips.
            if guardName == "raise", noisy.peak > Float(ceiling), snr < 200 {
                snr += 1
                continue
            }
            let pair = Mixture(speech, noisy: noisy, ceiling: guardName == "none" ? .infinity : ceiling)
            return (pair, snr, gain * pair.gain)
        }
    }
}

/// The measure of a signal's level.
enum LevelMeasure: String, CaseIterable, Sendable {
    /// The mean square of the whole signal, silence included.
    case power
    /// The integrated loudness of ITU-R BS.1770-4.
    case loudness

    /// dB.
    func level(of signal: [Float], rate: Int) -> Double {
        switch self {
        case .power: MixingPlan.meanSquareLevel(signal)
        // A signal too short or too quiet for one block of loudness is measured by its mean square.
        case .loudness: Loudness.integrated(signal, sampleRate: rate) ?? MixingPlan.meanSquareLevel(signal)
        }
    }
}
