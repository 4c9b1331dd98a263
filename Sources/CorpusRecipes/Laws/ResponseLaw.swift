import Audio
import Corpora
import Foundation
import Parallelism
import SpecLanguage

/// The law `responses`: a clean recording convolved with an impulse response of a folder, measured in a room or made by
/// effects.
///
/// A response begins at its greatest sample, so that the direct sound is not late; the reverberant file is as long as
/// the clean one, which stays as it is.
struct ResponseLaw: MixingLaw {
    static let form = EntryDescriptor(
        "responses", "Clean recordings convolved with given impulse responses",
        parameters: [
            .text("responses", default: .required, "The impulse responses: a source, or a folder in it."),
            .list(
                "response_files", of: .text, default: [],
                "Patterns of the files that are taken; all if none is given."),
            .bool("by_set", default: false, "Whether each set has responses of its own, in a folder of its name."),
            .text("channel", default: "random", "Which channel of a response: its number, or random."),
            .number(
                "longest_t60", default: 2.0, in: .positive, unit: "s",
                "Responses with a longer reverberation time (T30) are left out."),
            .list(
                "peak", of: .number(.positive), atLeast: 2, default: [0.1, 0.7],
                "The greatest sample of a response is brought into this range."),
            .bool(
                "match_loudness", default: true,
                "Whether the reverberant file gets the loudness of the clean one (ITU-R BS.1770)."),
            .oneOf(
                "task", Layout.allCases.map(\.rawValue), default: "dereverberation",
                "The names of the folders: anechoic and reverb, or clean and noisy."),
        ], facts: ())

    private let (responses, channel): (String, String)
    private let files: [String]
    private let longest: Double
    private let peak: [Double]
    private let matches: Bool
    let isBySet: Bool
    let layout: Layout

    init(_ settings: Settings) {
        (responses, channel) = (settings.text("responses"), settings.text("channel"))
        files = settings.texts("response_files")
        (longest, peak) = (settings.number("longest_t60"), settings.numbers("peak"))
        (matches, isBySet) = (settings.bool("match_loudness"), settings.bool("by_set"))
        layout = Layout(rawValue: settings.text("task")) ?? .dereverberation
    }

    var places: [String] { [responses] }

    var problems: [String] {
        [
            SyntheticLaw.range(peak) == nil ? "'peak' wants two numbers, the least and the most" : nil,
            channel != "random" && (Int(channel) ?? 0) < 1 ? "'channel' is a number from 1, or random" : nil,
        ].compactMap(\.self)
    }

    /// A response that may be drawn.
    private struct Response: Sendable {
        var file: String
        var recording: Recording
        var channels: Int
        var t60: Double?
    }

    func plan(_ recipe: Recipe, _ sources: SourceFolders, skipsBad: Bool) throws -> MixingPlan {
        var list = try recipe.items(sources, skipsBad: skipsBad)
        let all = isBySet ? [] : try usable(in: sources.folder(responses), "", skipsBad, &list)
        var found: [String: [Response]] = [:]
        for set in recipe.sets {
            found[set.name] =
                isBySet
                ? try usable(in: sources.folder("\(responses)/\(set.name)"), "\(set.name)/", skipsBad, &list) : all
        }
        return MixingPlan(list: list, level: nil) { [found] item in [try pair(of: item, recipe, found[item.set] ?? [])]
        }
    }

    /// The responses of a folder that are short enough and have the channel.
    private func usable(in root: RecordingFolder, _ prefix: String, _ skipsBad: Bool, _ list: inout ItemList) throws
        -> [Response]
    {
        let names = try root.files().filter { files.isEmpty || Glob.matches($0, files) }
        let measured = names.parallelMap(block: 4) { file in
            Result<Response, any Error> {
                let sound = try root.sound(file)
                let t60 = EnergyDecay.t60(of: Self.fromPeak(sound.channels[0]), sampleRate: sound.sampleRate)
                return Response(
                    file: prefix + file, recording: Recording(folder: root, name: file), channels: sound.channels.count,
                    t60: t60)
            }
        }
        var found: [Response] = []
        for (file, result) in zip(names, measured) {
            switch result {
            case .success(let response): if response.t60.map({ $0 <= longest }) ?? true { found.append(response) }
            case .failure(let error):
                guard skipsBad else { throw error }
                list.skipped.append("\(root.path)/\(file)")
            }
        }
        if let channel = Int(channel) { found.removeAll { $0.channels < channel } }
        guard !found.isEmpty else {
            throw CorpusError(root.path, .impossible("no impulse response is there, as the recipe chooses it"))
        }
        return found
    }

    /// What follows the greatest sample.
    private static func fromPeak(_ samples: [Float]) -> [Float] {
        let start = samples.indices.max { abs(samples[$0]) < abs(samples[$1]) } ?? 0
        return Array(samples[start...])
    }

    private func pair(of item: Item, _ recipe: Recipe, _ found: [Response]) throws -> MadePair {
        var draws = item.draws(seed: recipe.seed, "responses")
        let response = draws.pick(found)
        let channel = Int(channel).map { $0 - 1 } ?? draws.integer(0...response.channels - 1)
        let sound = try response.recording.sound()
        let resampled = try Resampler(from: sound.sampleRate, to: recipe.rate).resample(sound.channels[channel])
        var filter = Self.fromPeak(resampled)
        let greatest = Double(filter.first.map { abs($0) } ?? 0)
        guard greatest > 0 else {
            throw CorpusError(response.recording.path, .impossible("channel \(channel + 1) is silent"))
        }
        filter.scale(by: min(max(greatest, peak[0]), peak[1]) / greatest)
        let clean = try item.speech(of: recipe)
        var wet = Convolution.convolve(clean, filter)
        wet.fade(Int(item.mixtureRamp * Double(recipe.rate)))
        var gain = 1.0
        if matches, let loud = Loudness.integrated(clean, sampleRate: recipe.rate),
            let own = Loudness.integrated(wet, sampleRate: recipe.rate)
        {
            gain = pow(10, (loud - own) / 20)
            wet.scale(by: gain)
        }
        let top = Double(wet.peak)
        if top > 1 {
            gain /= top
            wet.scale(by: 1 / top)
        }
        var entry = item.entry(seed: recipe.seed)
        entry.noise = "room"
        entry.other.merge([
            "response_file": "\(responses)/\(response.file)", "response_channel": "\(channel + 1)",
            "gain": "\(Float(gain))",
            "t60_measured_s": response.t60.map { Decimals.text($0, 4) } ?? "",
        ]) { $1 }
        return MadePair(set: item.set, entry: entry, clean: clean, noisy: wet)
    }
}
