import Foundation
import Specs
import SystemCalls
package import WeightFiles

/// A file of weights of any network: its arrays by the names and in the order of a layout.
package struct WeightSource: Sendable {
    package enum Contents: Sendable {
        case lightning(LightningCheckpoint)
        /// A safetensors file whose arrays are named `weights/…`, `ema/…`, `buffers/…` and `adam/…`.
        case parts(SafetensorsFile)
    }

    /// The progress of the model's training.
    package struct Progress: Sendable {
        package var step: Int?
        package var epoch: Int?
        /// Updates of the moving average; one for each step unless the file says otherwise.
        package var averageUpdates: Int?
    }

    package let path: String
    package let contents: Contents

    /// Opens a file, or the weights of a folder of `sgmse checkpoint import`.
    ///
    /// - Throws: `CheckpointError` where there are none, `WeightFileError`.
    package init(at path: String) throws {
        guard let facts = FileFacts(at: path) else {
            throw CheckpointError(
                path: path, reason: "no such file", hint: "sgmse checkpoint list says where checkpoints are published")
        }
        try Self.checkFolder(path)
        let file = facts.kind == .folder ? path + "/" + ImportedFiles.weights : path
        self.path = file
        contents =
            file.hasSuffix(".safetensors")
            ? .parts(try SafetensorsFile(path: file))
            : .lightning(Self.named(try LightningCheckpoint(path: file)))
    }

    /// A checkpoint whose network has the name that the reference's own model gives it, `dnn`.
    ///
    /// A network that was saved by itself has no name, and one inside another module more than one.
    private static func named(_ checkpoint: LightningCheckpoint) -> LightningCheckpoint {
        let names = checkpoint.parameters.map(\.name)
        let known = [ModelLayout.network, ModelLayout.behindRegression]
        guard !names.contains(where: { name in known.contains { name.hasPrefix($0) } }) else { return checkpoint }
        if names.contains(where: { $0.contains("." + ModelLayout.network) }) {
            return checkpoint.renamed { name in
                let places = [ModelLayout.network, ModelLayout.encoder].compactMap {
                    name.firstRange(of: "." + $0)?.lowerBound
                }
                return places.min().map { String(name[name.index(after: $0)...]) } ?? name
            }
        }
        return checkpoint.renamed {
            $0.hasPrefix(ModelLayout.encoder) || $0.hasPrefix(lossConstants) ? $0 : ModelLayout.network + $0
        }
    }

    /// Remarks on the names in the file, to be shown to the user.
    var remarks: [String] {
        guard case .lightning(let checkpoint) = contents, !checkpoint.wrappers.isEmpty else { return [] }
        return ["the names in the file had \(checkpoint.wrappers.joined(separator: " and ")), which was left out"]
    }

    package var progress: Progress {
        switch contents {
        case .lightning(let checkpoint):
            return Progress(
                step: checkpoint.globalStep, epoch: checkpoint.epoch, averageUpdates: checkpoint.movingAverage?.updates)
        case .parts(let file):
            func number(_ name: String) -> Int? { file.metadata[name].flatMap(Int.init) }
            return Progress(step: number("step"), epoch: number("epoch"), averageUpdates: number("ema_updates"))
        }
    }

    /// The number of values in the file.
    package var valueCount: Int {
        switch contents {
        case .lightning(let checkpoint): checkpoint.parameters.reduce(0) { $0 + $1.tensor.count }
        case .parts(let file): file.entries.reduce(0) { $0 + $1.shape.reduce(1, *) }
        }
    }

    /// Whether there are weights as the optimizer left them, besides averages.
    package var holdsRawWeights: Bool {
        get throws {
            switch contents {
            case .lightning(let checkpoint):
                try !checkpoint.stateIsAverage
                    && (checkpoint.movingAverage == nil || !checkpoint.weights(.raw).areAveraged)
            case .parts(let file):
                file.names.contains { $0.hasPrefix("weights/") } || !file.names.contains { $0.contains("/") }
            }
        }
    }

    /// Weights, every parameter checked against the layout.
    ///
    /// - Throws: `WeightsError` for a tensor that is missing, of another shape, or not finite; `WeightFileError`;
    ///   `CheckpointError` for raw weights that are not in the file.
    package func weights(_ choice: StoredModel.Choice, _ layout: ModelLayout) throws -> StoredModel.Weights {
        switch contents {
        case .lightning(let whole):
            let checkpoint = Self.placed(whole, layout)
            try Self.check(checkpoint, against: layout, file: path)
            let found = try checkpoint.weights(
                choice == .ema ? .averagedIfPresent : .raw, parameters: Self.names(checkpoint, layout))
            return StoredModel.Weights(
                arrays: try layout.select(from: found.arrays, in: path), origin: found.origin.rawValue,
                areAveraged: found.areAveraged, remark: found.remark)
        case .parts(let file): return try weights(choice, layout, file)
        }
    }

    private func weights(_ choice: StoredModel.Choice, _ layout: ModelLayout, _ file: SafetensorsFile) throws
        -> StoredModel.Weights
    {
        let names = Set(file.names)
        let parts = [StoredModel.Choice.ema: "ema", .raw: "weights"]
        func holds(_ part: String) -> Bool { names.contains { $0.hasPrefix(part + "/") } }
        if !holds("ema"), !holds("weights") { return try plainWeights(choice, layout, file) }
        let other: StoredModel.Choice = choice == .ema ? .raw : .ema
        guard let used = [choice, other].first(where: { holds(parts[$0] ?? "") }), used == choice || choice == .ema
        else {
            throw CheckpointError(
                path: path, reason: "holds no \(choice.rawValue) weights",
                hint: holds(parts[other] ?? "") ? "ask for \(other.rawValue)" : "is this a checkpoint?")
        }
        let part = parts[used] ?? ""
        var arrays: [NamedArray] = []
        func add(_ part: String, _ entry: ModelLayout.Entry) throws {
            let name = "\(part)/\(entry.ownName)"
            guard names.contains(name) else { return }
            var array = try file.array(name)
            array.name = entry.name
            arrays.append(array)
        }
        for entry in layout.parameters { try add(part, entry) }
        for entry in layout.buffers { try add("buffers", entry) }
        let origin = file.metadata["\(used.rawValue)_from"].map { "\(part)/ (\($0))" } ?? "\(part)/"
        return StoredModel.Weights(
            arrays: try layout.select(from: arrays, in: path), origin: origin, areAveraged: used == .ema,
            remark: used == choice ? nil : "the file has no moving average: these are the raw weights")
    }

    /// The arrays of a file that holds nothing but a state dictionary: the network's own names, or those of the
    /// reference's model.
    private func plainWeights(
        _ choice: StoredModel.Choice, _ layout: ModelLayout, _ file: SafetensorsFile
    ) throws -> StoredModel.Weights {
        let (stripped, wrappers) = WrapperNames.stripped(file.names)
        let stored = Dictionary(zip(stripped, file.names)) { first, _ in first }
        var arrays: [NamedArray] = []
        for entry in layout.parameters + layout.buffers {
            guard let name = stored[entry.name] ?? stored[entry.ownName] else { continue }
            var array = try file.array(name)
            array.name = entry.name
            arrays.append(array)
        }
        let words = wrappers.isEmpty ? "" : "; its names had \(wrappers.joined(separator: " and ")), which was left out"
        return StoredModel.Weights(
            arrays: try layout.select(from: arrays, in: path), origin: "the file's only tensors", areAveraged: false,
            remark: "the file holds weights alone, which are taken for raw ones\(words)")
    }

    /// Adam's moments by the names of the layout, or nil where the file has none.
    package func adam(_ layout: ModelLayout) throws -> LightningCheckpoint.Adam? {
        switch contents {
        case .lightning(let whole):
            let checkpoint = Self.placed(whole, layout)
            try Self.check(checkpoint, against: layout, file: path)
            return try checkpoint.adam(parameters: Self.names(checkpoint, layout))
        case .parts(let file): return try adam(layout, file)
        }
    }

    private func adam(_ layout: ModelLayout, _ file: SafetensorsFile) throws -> LightningCheckpoint.Adam? {
        let names = Set(file.names)
        func count(_ name: String) -> Int { file.metadata[name].flatMap(Int.init) ?? 0 }
        var adam = LightningCheckpoint.Adam(
            updates: file.metadata[ImportedFiles.adamUpdates].flatMap(Int.init) ?? count("step") + count("warm_steps"),
            moments: [:])
        func moment(_ part: String, _ entry: ModelLayout.Entry) throws -> NamedArray {
            var array = try file.array("adam/\(part)/\(entry.ownName)")
            guard array.shape == entry.shape, array.values.allSatisfy(\.isFinite) else {
                throw WeightsError(
                    parameter: entry.ownName, reason: "has moments in \(path) that do not fit it, or are not finite")
            }
            array.name = entry.name
            return array
        }
        for entry in layout.parameters where names.contains("adam/first/\(entry.ownName)") {
            adam.moments[entry.name] = (try moment("first", entry), try moment("second", entry))
        }
        return adam.moments.isEmpty ? nil : adam
    }

    /// A checkpoint of a regression by itself, whose network has the name of a single one, in the regression's place.
    package static func placed(_ checkpoint: LightningCheckpoint, _ layout: ModelLayout) -> LightningCheckpoint {
        guard !layout.optional.isEmpty,
            !checkpoint.parameters.contains(where: { $0.name.hasPrefix(ModelLayout.regression) })
        else {
            return checkpoint
        }
        return checkpoint.renamed { name in
            name.hasPrefix(ModelLayout.network)
                ? ModelLayout.regression + name.dropFirst(ModelLayout.network.count) : name
        }
    }

    /// The layout's names, without those that a file may lack and does.
    private static func names(_ checkpoint: LightningCheckpoint, _ layout: ModelLayout) -> [String] {
        guard !layout.optional.isEmpty else { return layout.names }
        let there = Set(checkpoint.parameters.map(\.name))
        return layout.names.filter { !layout.optional.contains($0) || there.contains($0) }
    }

    /// Shapes before values: a wrong file is rejected without reading its tensors.
    private static func check(_ checkpoint: LightningCheckpoint, against layout: ModelLayout, file: String)
        throws(WeightsError)
    {
        let shapes = Dictionary(checkpoint.parameters.map { ($0.name, $0.tensor.shape) }) { first, _ in first }
        for entry in layout.parameters {
            guard let shape = shapes[entry.name] else {
                guard !layout.optional.contains(entry.name) else { continue }
                throw WeightsError(parameter: entry.name, reason: "is missing from state_dict of \(file)")
            }
            guard shape == entry.shape else {
                throw WeightsError(
                    parameter: entry.name,
                    reason:
                        "is \(shape) in \(file), and \(entry.shape) in the network that its hyper-parameters describe")
            }
        }
    }
}
