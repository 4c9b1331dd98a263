import Specs
import WeightFiles

extension StoredModel {
    /// The weights of the model, every parameter checked against the network that the spec describes.
    ///
    /// - Throws: `WeightsError` for a tensor that is missing, of another shape, or not finite; `WeightFileError`.
    public func weights(_ choice: Choice) throws -> Weights {
        let layout = try ModelLayout(spec, catalog)
        return try weights(choice, layout)
    }

    func weights(_ choice: Choice, _ layout: ModelLayout) throws -> Weights {
        switch contents {
        case .lightning(let checkpoint):
            try Self.check(checkpoint, against: layout, file: path)
            let found = try checkpoint.weights(choice == .ema ? .averagedIfPresent : .raw, parameters: layout.names)
            return Weights(
                arrays: try layout.select(from: found.arrays, in: path), origin: found.origin.rawValue,
                areAveraged: found.areAveraged, remark: found.remark)
        case .parts(let file): return try weights(choice, layout, file)
        }
    }

    private func weights(_ choice: Choice, _ layout: ModelLayout, _ file: SafetensorsFile) throws -> Weights {
        let names = Set(file.names)
        let parts = [Choice.ema: "ema", .raw: "weights"]
        func holds(_ part: String) -> Bool { names.contains { $0.hasPrefix(part + "/") } }
        let other: Choice = choice == .ema ? .raw : .ema
        guard let used = [choice, other].first(where: { holds(parts[$0] ?? "") }), used == choice || choice == .ema else {
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
        return Weights(
            arrays: try layout.select(from: arrays, in: path), origin: origin, areAveraged: used == .ema,
            remark: used == choice ? nil : "the file has no moving average: these are the raw weights")
    }

    /// Shapes before values: a wrong file is refused without reading its tensors.
    private static func check(_ checkpoint: LightningCheckpoint, against layout: ModelLayout, file: String) throws(WeightsError) {
        let shapes = Dictionary(checkpoint.parameters.map { ($0.name, $0.tensor.shape) }) { first, _ in first }
        for entry in layout.parameters {
            guard let shape = shapes[entry.name] else {
                throw WeightsError(parameter: entry.name, reason: "is missing from state_dict of \(file)")
            }
            guard shape == entry.shape else {
                throw WeightsError(
                    parameter: entry.name,
                    reason: "is \(shape) in \(file), and \(entry.shape) in the network that its hyper-parameters describe")
            }
        }
    }
}

extension LightningCheckpoint {
    /// The values of the state dictionary.
    var valueCount: Int { parameters.reduce(0) { $0 + $1.tensor.count } }
}

extension PickleDictionary {
    /// The entries that a spec can hold: numbers, texts, truth values, and lists of them.
    var settings: [(name: String, value: SettingValue)] {
        pairs.compactMap { pair in
            guard let name = pair.key.stringValue, let value = SettingValue(pair.value) else { return nil }
            return (name, value)
        }
    }
}

extension SettingValue {
    init?(_ value: PickleValue) {
        switch value {
        case .none: self = .none
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .integer(value)
        case .float(let value): self = .number(value)
        case .string(let value): self = .text(value)
        case .list(let elements), .tuple(let elements):
            let values = elements.compactMap { SettingValue($0) }
            guard values.count == elements.count else { return nil }
            self = .list(values)
        default: return nil
        }
    }

    /// The value as Python would hold it.
    var pickled: PickleValue {
        switch self {
        case .none: .none
        case .bool(let value): .bool(value)
        case .integer(let value): .int(value)
        case .number(let value): .float(value)
        case .text(let value): .string(value)
        case .list(let values): .list(values.map(\.pickled))
        case .choice(let choice): .string(choice.name)
        case .section(let settings):
            .dictionary(settings.reduce(into: PickleDictionary()) { $0[$1.name] = $1.value.pickled })
        }
    }
}
