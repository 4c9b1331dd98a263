import Corpora
import Foundation
import Kernels
import SpecLanguage

/// The law `rooms`: a clean recording in a simulated room of its own, and the same without reflections as the target.
///
/// Box, places and T60 are drawn uniformly; the walls follow from T60 by Sabine's formula. The target's room has walls
/// of α = `dry_absorption`, 0.99 by default, and no reflections, so that the direct sound has the same delay and level
/// in both files.
struct RoomLaw: MixingLaw {
    static let form = EntryDescriptor(
        "rooms", "Clean recordings in simulated rooms, with the dry sound as the target",
        parameters: [
            range("t60", [0.4, 1.0], "Reverberation time asked, in s."),
            range("width", [5, 15], "The room, in m."), range("length", [5, 15], "The same."),
            range("height", [2, 6], "The same."),
            .number(
                "margin", default: 1.0, in: .nonNegative, unit: "m",
                "Least distance of source and microphone from the walls."),
            .number(
                "microphone_radius", default: 0.16, in: .nonNegative, unit: "m",
                "The microphone lies so far from the centre of its circle."),
            .integer(
                "order", default: 3, in: .between(0, 12),
                "Most reflections that are traced one by one; noise with their energy stands for the rest."),
            .number(
                "dry_absorption", default: 0.99, in: Bounds(from: 0, to: 1, excludesLower: true, excludesUpper: true),
                "Absorption of the target's walls."),
            .integer("dry_order", default: 0, in: .between(0, 12), "Most reflections in the target."),
            .number(
                "append", default: 0.5, in: .nonNegative, unit: "s",
                "Silence behind the recording, in which the room dies away."),
            .number(
                "peak", default: 0.9, in: .positive,
                "Both files are divided alike, so that the greatest sample of the reverberant one is this."),
            .bool(
                "measures_in_name", default: false, "Whether the file's name holds its number, measured T60 and DRR."),
        ], facts: ())

    private static func range(_ name: String, _ ends: [Double], _ doc: String) -> Field {
        .list(name, of: .number(.positive), atLeast: 2, default: .value(.list(ends.map(SettingValue.number))), doc)
    }

    private let ranges: [String: [Double]]
    private let (margin, radius, dryAbsorption, append, peak): (Double, Double, Double, Double, Double)
    private let (order, dryOrder): (Int, Int)
    private let isNamed: Bool

    init(_ settings: Settings) {
        ranges = Dictionary(
            uniqueKeysWithValues: ["t60", "width", "length", "height"].map { ($0, settings.numbers($0)) })
        (margin, radius) = (settings.number("margin"), settings.number("microphone_radius"))
        (dryAbsorption, append, peak) = (
            settings.number("dry_absorption"), settings.number("append"), settings.number("peak")
        )
        (order, dryOrder) = (settings.integer("order"), settings.integer("dry_order"))
        isNamed = settings.bool("measures_in_name")
    }

    var layout: Layout { .dereverberation }

    var problems: [String] {
        let odd = ranges.keys.sorted().filter { SyntheticLaw.range(ranges[$0] ?? []) == nil }.map {
            "'\($0)' wants two numbers, the least and the most"
        }
        let least = ["width", "length", "height"].compactMap { ranges[$0]?.min() }.min() ?? 0
        return odd + (least < 2 * margin ? ["the smallest room has no place \(margin) m from all walls"] : [])
    }

    func plan(_ recipe: Recipe, _ sources: SourceFolders, skipsBad: Bool) throws -> MixingPlan {
        MixingPlan(list: try recipe.items(sources, skipsBad: skipsBad), level: nil) { [try pair(of: $0, recipe)] }
    }

    private struct Scene {
        var room: ShoeBox
        var source, microphone: SIMD3<Double>
        var t60: Double

        var distance: Double { ((source - microphone) * (source - microphone)).sum().squareRoot() }
    }

    /// A room, drawn again where no walls could give its T60.
    private func scene(_ draws: inout Draws, _ item: Item) throws(CorpusError) -> Scene {
        func draw(_ name: String, _ draws: inout Draws) -> Double {
            draws.uniform((ranges[name]?.first ?? 1)...(ranges[name]?.last ?? 1))
        }
        for _ in 0..<100 {
            let t60 = draw("t60", &draws)
            let size = SIMD3(draw("width", &draws), draw("length", &draws), draw("height", &draws))
            func place() -> SIMD3<Double> {
                func along(_ length: Double) -> Double { draws.uniform(margin...max(margin, length - margin)) }
                return SIMD3(along(size.x), along(size.y), along(size.z))
            }
            let centre = place()
            let scene = ShoeBox(size: size, sabineT60: t60).map {
                Scene(
                    room: $0, source: place(), microphone: centre + SIMD3(min(radius, size.x - centre.x), 0, 0),
                    t60: t60)
            }
            if let scene, scene.distance > 0.1 { return scene }
        }
        throw CorpusError(item.path, .impossible("no room of these sizes can have these reverberation times"))
    }

    private func pair(of item: Item, _ recipe: Recipe) throws -> MadePair {
        var draws = item.draws(seed: recipe.seed, "rooms")
        let scene = try scene(&draws, item)
        let wet = RoomResponse(
            of: scene.room, from: scene.source, to: scene.microphone, order: order, sampleRate: recipe.rate,
            tail: draws.stream.child(1))
        let dryRoom = ShoeBox(size: scene.room.size, absorption: dryAbsorption)
        let dry = RoomResponse(
            of: dryRoom, from: scene.source, to: scene.microphone, order: dryOrder, sampleRate: recipe.rate, tail: nil)
        let speech = try item.speech(of: recipe) + [Float](repeating: 0, count: Int(append * Double(recipe.rate)))
        var target = Convolution.convolve(speech, dry.samples, from: RoomResponse.lead)
        var reverberant = Convolution.convolve(speech, wet.samples, from: RoomResponse.lead)
        let greatest = Double(reverberant.max() ?? 0)
        guard greatest > 0 else { throw CorpusError(item.path, .impossible("it is silent")) }
        let gain = peak / greatest
        target.scale(by: gain)
        reverberant.scale(by: gain)
        var entry = item.entry(seed: recipe.seed)
        describe(
            scene, wet, ratio: 10 * log10(target.meanSquare / max(reverberant.meanSquare, 1e-30)), gain, recipe.rate,
            &entry)
        if isNamed {
            let (stem, t60) = (
                (item.name as NSString).deletingPathExtension, Double(entry.other["t60_measured_s"] ?? "") ?? 0
            )
            entry.file = "\(stem)_\(item.number)_\(Decimals.text(t60, 2))_\(entry.other["drr_db"] ?? "").wav"
        }
        return MadePair(set: item.set, entry: entry, clean: target, noisy: reverberant)
    }

    private func describe(
        _ scene: Scene, _ response: RoomResponse, ratio: Double, _ gain: Double, _ rate: Int,
        _ entry: inout Manifest.Entry
    ) {
        func place(_ point: SIMD3<Double>) -> String {
            [point.x, point.y, point.z].map { Decimals.text($0, 3) }.joined(separator: " ")
        }
        entry.noise = "room"
        entry.other.merge([
            "t60_asked_s": Decimals.text(scene.t60, 4), "t60_eyring_s": Decimals.text(scene.room.eyringT60, 4),
            "t60_measured_s": EnergyDecay.t60(of: response.samples, sampleRate: rate).map { Decimals.text($0, 4) }
                ?? "",
            "absorption": Decimals.text(scene.room.absorption, 4), "drr_db": Decimals.text(ratio, 2),
            "gain": "\(Float(gain))",
            "room_m": place(scene.room.size), "source_m": place(scene.source), "microphone_m": place(scene.microphone),
        ]) { $1 }
    }
}
