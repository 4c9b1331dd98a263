import Audio
import Corpora
import Foundation
import SpecLanguage

/// The law `pairs`: clean and noisy recordings that were published together, brought to one rate and one channel.
///
/// Noise type and SNR come from the published table of a set, or from names such as `…_snr5_…` (DNS) and
/// `…_SNRdb_10.0_…` (MS-SNSD).
struct PairsLaw: MixingLaw {
    static let form = EntryDescriptor(
        "pairs", "Clean and noisy recordings that were published in pairs",
        parameters: [
            .oneOf("task", Layout.allCases.map(\.rawValue), default: "denoising", "Noise added, or reverberation.")
        ], facts: ())

    let layout: Layout

    init(_ settings: Settings) { layout = Layout(rawValue: settings.text("task")) ?? .denoising }

    var needsNoisy: Bool { true }

    func plan(_ recipe: Recipe, _ sources: SourceFolders, skipsBad: Bool) throws -> MixingPlan {
        var list = try recipe.items(sources, skipsBad: skipsBad)
        var (partners, remarks): ([String: Partner], [String]) = ([:], [])
        for set in recipe.sets {
            guard let speech = set.speech, let noisy = set.noisy else { continue }
            let root = try sources.folder(noisy)
            let table = try set.table.map { try PairTable(contentsOf: $0) }
            let stated = Dictionary((table?.rows ?? []).map { ($0.clean, $0.noisy) }) { first, _ in first }
            let index = table == nil ? NameIndex(try root.files(), by: [.name, .fileID, .role]) : nil
            let log = try set.log.flatMap { try sources.file($0) }.map { try NoiseLog($0.data, path: $0.path) }
            if let place = set.log, log == nil {
                remarks.append(
                    """
                    \(sources.path(place)) is not there: the manifest of '\(set.name)' has no noise types and no SNR \
                    asked
                    """
                )
            }
            var alone: [String] = []
            for item in list.items where item.set == set.name {
                let name = String(item.label.dropFirst(speech.count + 1))
                guard let found = stated[name] ?? index?.partner(of: name)?.name else {
                    alone.append(item.path)
                    continue
                }
                partners["\(set.name)/\(item.name)"] = Partner(
                    recording: Recording(folder: root, name: found), label: "\(noisy)/\(found)",
                    noise: log?[name] ?? NoiseLog.Row(inName: found))
            }
            guard alone.isEmpty || skipsBad else {
                let all = alone.count == 1 ? "1 recording has" : "\(alone.count) recordings have"
                throw CorpusError(alone[0], .impossible("\(all) no noisy file in \(root.path), this one first"))
            }
            list.skipped += alone.map { "\($0): no noisy file in \(root.path)" }
        }
        list.items.removeAll { partners["\($0.set)/\($0.name)"] == nil }
        let level = layout == .denoising ? MixingPlan.meanSquareLevel : nil
        return MixingPlan(list: list, remarks: remarks, level: level) { [partners] item in
            guard let partner = partners["\(item.set)/\(item.name)"] else { return [] }
            return [try pair(item, partner, recipe)]
        }
    }

    private struct Partner: Sendable {
        var recording: Recording
        var label: String
        var noise: NoiseLog.Row?
    }

    private func pair(_ item: Item, _ partner: Partner, _ recipe: Recipe) throws -> MadePair {
        let clean = try item.speech(of: recipe)
        var other = item
        other.recording = partner.recording
        let noisy = try other.speech(of: recipe)
        guard clean.count == noisy.count else {
            throw CorpusError(
                partner.recording.path,
                .impossible(
                    "it has \(noisy.count) samples at \(recipe.rate) Hz, \(item.path) has \(clean.count): not a pair"))
        }
        var entry = item.entry(seed: recipe.seed)
        (entry.seed, entry.noise, entry.snr) = (nil, partner.noise?.noise, partner.noise?.snr)
        entry.other["noisy_file"] = partner.label
        return MadePair(set: item.set, entry: entry, clean: clean, noisy: noisy)
    }
}
