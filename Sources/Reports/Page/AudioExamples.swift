import Audio
import Foundation
import Runs

/// The files on which a system is worst and best, with players and spectrograms beside the clean and noisy ones.
struct AudioExamples {
    private let data: PlotData
    private let store: RunStore
    /// How many systems have a player; more would make the page too large to load.
    static let mostSystems = 5
    private static let longest = 12.0

    init(_ data: PlotData, in store: RunStore) { (self.data, self.store) = (data, store) }

    /// The elements of the files, worst first.
    ///
    /// - Parameter count: How many of the worst, and of the best.
    func html(count: Int) throws -> String {
        guard let focus = data.ofRuns.first ?? data.measured.first(where: { $0.evaluation.external != nil }) else {
            return ""
        }
        let ranked = zip(focus.series.files, focus.series.values).filter { $0.1.isFinite }
            .sorted { data.metric.higherIsBetter ? ($0.1, $0.0) < ($1.1, $1.0) : ($0.1, $1.0) > ($1.1, $0.0) }.map(\.0)
        let worst = Array(ranked.prefix(count))
        let best = Array(ranked.dropFirst(worst.count).suffix(count).reversed())
        let groups = [("Worst files", worst), ("Best files", best)].filter { !$0.1.isEmpty }
        var html = HTML.paragraph(
            """
            Files of '\(data.set.name)', by the \(data.metric.symbol) of '\(focus.system)'. A button switches the \
            system at the same position.
            """
        )
        for (title, files) in groups {
            html += HTML.heading(title)
            for id in files { html += try element(of: id) }
        }
        return html
    }

    /// One system's audio of a file.
    private struct System {
        var name: String
        var path: String
        var score: Double?
    }

    private func element(of id: TestFile.ID) throws -> String {
        guard let file = data.files[id] else { return "" }
        let systems = try self.systems(of: file, id)
        let facts = [file.noise, file.snr.map { String(format: "%g dB", $0) }, file.speaker].compactMap { $0 }.joined(
            separator: ", ")
        var html = "<div class=\"file\"><strong>\(file.path.xmlText)</strong> \(facts.xmlText)\n"
        let signals = systems.map { one in (try? SoundFile.read(one.path)).flatMap { $0.channels.first } ?? [] }
        let rate = data.set.sampleRate
        let most = Int(Self.longest * Double(rate))
        let images = SpectrogramImage.images(of: signals.map { Array($0.prefix(most)) }, widest: 320)
        if systems.isEmpty { return html + HTML.paragraph("the audio of this file was not kept") + "</div>\n" }
        html +=
            """
            <div class="bar"><button class="toggle" type="button">Play</button><input type="range" min="0" \
            max="1000" value="0" aria-label="position"></div>\n<div class="systems">
            """
        for (place, one) in systems.enumerated() {
            let score = one.score.map { "\(data.metric.name) \($0.fixed(data.metric.digits))" } ?? ""
            let wave = WaveBytes.pcm16(signals[place].prefix(most), sampleRate: rate)
            html +=
                "<div class=\"system\"><button type=\"button\" data-sound=\"\(place)\">\(one.name.xmlText)</button>"
                    + """
                    <img alt="spectrogram of \(one.name.xmlText)" \
                    src="data:image/png;base64,\(images[place].file.base64)"><div \
                    class="score">\(score.xmlText)</div>
                    """
                + "<audio preload=\"auto\" src=\"data:audio/wav;base64,\(wave.base64)\"></audio></div>\n"
        }
        let isCut = signals.contains { $0.count > most }
        return html + "</div>" + (isCut ? HTML.paragraph("the first \(Int(Self.longest)) s") : "") + "</div>\n"
    }

    private func systems(of file: TestFile, _ id: TestFile.ID) throws -> [System] {
        let audio = StoredAudio(store: store)
        func score(_ one: PlotData.Measured?) -> Double? {
            one.flatMap { one in one.series.files.firstIndex(of: id).map { one.series.values[$0] } }.flatMap {
                $0.isFinite ? $0 : nil
            }
        }
        var systems: [System] = []
        if let path = audio.file(file, of: data.set, isClean: true) {
            systems.append(System(name: "clean", path: path, score: nil))
        }
        for one in data.measured.sorted(by: { ($0.run == nil ? 0 : 1) < ($1.run == nil ? 0 : 1) })
        where systems.count < Self.mostSystems + 2 {
            guard let path = try audio.output(file, of: one.evaluation, in: data.set) else { continue }
            let steps = one.run == nil ? nil : one.evaluation.point.steps
            systems.append(
                System(name: one.system + (steps.map { ", N = \($0)" } ?? ""), path: path, score: score(one)))
        }
        return systems.count > 1 ? systems : []
    }
}

/// A WAV file of 16 bits in memory.
enum WaveBytes {
    static func pcm16(_ samples: ArraySlice<Float>, sampleRate: Int) -> [UInt8] {
        let size = UInt32(2 * samples.count)
        var bytes = Array("RIFF".utf8) + (36 + size).littleEndian8 + Array("WAVEfmt ".utf8) + UInt32(16).littleEndian8
        bytes +=
            UInt16(1).littleEndian8 + UInt16(1).littleEndian8 + UInt32(sampleRate).littleEndian8
            + UInt32(2 * sampleRate).littleEndian8
        bytes += UInt16(2).littleEndian8 + UInt16(16).littleEndian8 + Array("data".utf8) + size.littleEndian8
        bytes.reserveCapacity(bytes.count + Int(size))
        for sample in samples {
            let value = sample.isFinite ? Int16((max(-1, min(1, sample)) * 32_767).rounded()) : 0
            bytes.append(UInt8(truncatingIfNeeded: value))
            bytes.append(UInt8(truncatingIfNeeded: value >> 8))
        }
        return bytes
    }
}
