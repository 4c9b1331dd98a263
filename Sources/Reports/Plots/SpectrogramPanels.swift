import Audio
public import Runs

/// Spectrograms of one recording below each other on one scale: clean, noisy, and what a system made of it.
public struct SpectrogramPanels: Sendable {
    private let panels: [(name: String, image: PNGImage)]
    private let seconds: Double
    private let sampleRate: Int
    private let title: String

    /// - Parameter file: The file's path in its set, or the beginning of it.
    /// - Throws: `PlotError` where there is no such file, or its audio was not kept.
    public init(of run: Run, file name: String, in store: RunStore, set: String? = nil, steps: Int? = nil) throws {
        let evaluations = try store.evaluations(of: run.id).filter { steps == nil || $0.point.steps == steps }
        let sets = try store.testSets().filter { one in
            (set == nil || one.name == set) && evaluations.contains { $0.testSet == one.id }
        }
        for set in sets {
            let found = try store.files(of: set.id).filter { $0.path == name || $0.path.hasPrefix(name) }
            guard let file = found.first(where: { $0.path == name }) ?? found.first else { continue }
            let audio = StoredAudio(store: store)
            for evaluation in evaluations where evaluation.testSet == set.id {
                guard let output = try audio.output(file, of: evaluation, in: set),
                    let clean = audio.file(file, of: set, isClean: true),
                    let noisy = audio.file(file, of: set, isClean: false)
                else { continue }
                let steps = evaluation.point.steps.map { ", N = \($0)" } ?? ""
                try self.init(
                    [("clean", clean), ("noisy", noisy), (run.name + steps, output)], title: "\(file.path), \(set.name)"
                )
                return
            }
            throw PlotError(
                "the audio of '\(file.path)' was not kept",
                hint: "evaluate.keep_audio: all keeps it; give the run's command again with it")
        }
        throw PlotError(
            "no file '\(name)' in the sets of '\(run.name)'" + (set.map { " called '\($0)'" } ?? ""),
            hint: "sgmse compare shows the sets")
    }

    init(_ files: [(name: String, path: String)], title: String) throws {
        let signals = try files.map { try SoundFile.readMono($0.path) }
        let header = try SoundFile.header(of: files[0].path)
        let images = SpectrogramImage.images(of: signals, widest: 512)
        panels = zip(files.map(\.name), images).map { ($0, $1) }
        (seconds, sampleRate, self.title) = (header.duration, header.sampleRate, title)
    }

    /// The panels as an SVG file.
    ///
    /// - Parameter width: In points.
    public func svg(width: Double = 252) -> String {
        let (left, panel, gap) = (30.0, 0.28 * width, 4.0)
        var svg = SVG(width: width, height: 18 + Double(panels.count) * (panel + gap) + 24)
        svg.text(title, width / 2, 11, anchor: .middle, size: 8)
        let time = PlotScale(.init("time"), [0, seconds], from: left, to: width - 6, most: max(3, Int(width / 55)))
        for (place, one) in panels.enumerated() {
            let top = 17 + Double(place) * (panel + gap)
            svg.image(one.image.file, x: left, y: top, width: time.place(seconds) - left, height: panel)
            svg.rectangle(
                x: left + 2, y: top + 2, width: 4.4 * Double(one.name.count) + 4, height: 9.5, fill: "#ffffff",
                opacity: 0.8)
            svg.text(one.name, left + 4, top + 9.5, size: 7.5)
            for tick in [0, sampleRate / 4, sampleRate / 2] {
                let y = top + panel * (1 - Double(tick) / Double(sampleRate / 2))
                svg.text("\(tick / 1000)", left - 3, min(top + panel, max(top + 6, y + 2.6)), anchor: .end, size: 7)
            }
        }
        let bottom = 17 + Double(panels.count) * (panel + gap) - gap
        for tick in time.ticks where tick.value <= seconds {
            svg.line(time.place(tick.value), bottom, time.place(tick.value), bottom + 2.5)
            svg.text(tick.label, time.place(tick.value), bottom + 10, anchor: .middle, size: 7)
        }
        svg.text("time [s]", (left + width) / 2, bottom + 20, anchor: .middle)
        svg.text("frequency [kHz]", 9, (17 + bottom) / 2, anchor: .middle, isUpright: true)
        return svg.document
    }
}
