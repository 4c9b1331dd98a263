import Foundation
import SpecLanguage
import WeightFiles

/// What a checkpoint holds, as data; nothing in the file is executed, and no network is built.
public struct CheckpointInspection: Sendable {
    /// One array of the file.
    public struct Entry: Sendable {
        /// The tensor's name in the file, control characters replaced.
        public var name: String
        /// As the file stores it; empty for a scalar.
        public var shape: [Int]
        /// Of its elements, in the words of the file's format, such as `float32` or `F32`.
        public var type: String
        public var count: Int { shape.reduce(1, *) }
    }

    /// The file that was read.
    public var path: String
    /// `PyTorch Lightning 2.1.4`, `PyTorch`, `training checkpoint`, `imported weights`, or `safetensors`.
    public var kind: String
    /// The epoch counter that Lightning or this program wrote; `nil` where there is none.
    public var epoch: Int?
    /// Optimizer steps done when the file was written; `nil` where there is none.
    public var step: Int?
    /// The constructor's arguments as Lightning stored them, or the metadata of a safetensors file, as short text.
    public var hyperParameters: [(name: String, value: String)] = []
    /// Every tensor of `state_dict`, or of the safetensors file, in the order of the file.
    public var tensors: [Entry]
    /// The parts with weights in them: name, tensors, values.
    public var parts: [(name: String, tensors: Int, values: Int)]
    /// Decay and updates of the moving average.
    public var average: (decay: Double, updates: Int?)?
    /// Which part of the file holds the raw weights, in words; begins with `none` where there are none.
    public var rawWeights: String
    /// Which part of the file holds the averaged weights, in words; begins with `none` where there are none.
    public var averagedWeights: String
    /// Other entries of the file, each with what it is.
    public var others: [(name: String, content: String)] = []
    /// Notable facts, in sentences: weights that were swapped, constants that no network uses.
    public var remarks: [String] = []

    /// - Throws: `WeightFileError` for a file that is damaged, malicious, or of another kind.
    public init(path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else {
            throw CheckpointError(
                path: path, reason: "no such file", hint: "sgmse checkpoint list says where checkpoints are published")
        }
        if path.hasSuffix(".safetensors") { try self.init(safetensors: path) } else { try self.init(lightning: path) }
    }

    private init(lightning path: String) throws {
        let checkpoint = try LightningCheckpoint(path: path)
        self.path = path
        let isWhole = checkpoint.contents["state_dict"] != nil
        kind =
            checkpoint.lightningVersion.map { "PyTorch Lightning \($0)".printable }
            ?? (checkpoint.stateIsAverage ? "EDM2 snapshot" : isWhole ? "PyTorch checkpoint" : "PyTorch state_dict")
        (epoch, step) = (checkpoint.epoch, checkpoint.globalStep)
        hyperParameters = checkpoint.hyperParameters.pairs.map { ($0.key.brief, $0.value.brief) }
        if let layout = try EDM2Layout(checkpoint) {
            for setting in layout.backbone + layout.diffusion {
                hyperParameters.append((setting.name, setting.value.description))
            }
            remarks += layout.remarks
        }
        tensors = checkpoint.parameters.map {
            Entry(name: $0.name.printable, shape: $0.tensor.shape, type: $0.tensor.type.rawValue)
        }
        func part(_ name: String, _ tensors: [TensorReference]) -> (name: String, tensors: Int, values: Int) {
            (name, tensors.count, tensors.reduce(0) { $0 + $1.count })
        }
        parts = [part("state_dict", checkpoint.parameters.map(\.tensor))]
        if let average = checkpoint.movingAverage {
            self.average = (average.decay, average.updates)
            parts.append(part("ema.shadow_params", average.shadow))
            if let collected = average.collected { parts.append(part("ema.collected_params", collected)) }
        }
        (rawWeights, averagedWeights) = try Self.places(checkpoint, &remarks)
        let shown: Set = ["state_dict", "hyper_parameters", "ema", "epoch", "global_step", "pytorch-lightning_version"]
        if isWhole {
            others = checkpoint.contents.pairs.map { ($0.key.brief, $0.value.brief) }.filter { !shown.contains($0.0) }
        }
        let extra = checkpoint.parameters.filter { $0.name.hasPrefix("pesq_loss.") }.count
        if extra > 0 {
            remarks.append(
                "state_dict holds \(extra) constants of the perceptual loss (pesq_loss.*), which no network uses")
        }
    }

    /// Where the raw and the averaged weights are, found by comparing values.
    private static func places(_ checkpoint: LightningCheckpoint, _ remarks: inout [String]) throws -> (String, String)
    {
        if checkpoint.stateIsAverage { return ("none: the file holds the moving average alone", "the ema module") }
        guard let average = checkpoint.movingAverage else {
            return ("state_dict", "none: the file has no moving average")
        }
        guard try checkpoint.stateHoldsAverage() == true else {
            if average.collected != nil {
                remarks.append("collected_params holds weights of an earlier validation, which are out of date")
            }
            return ("state_dict", "ema.shadow_params")
        }
        remarks.append(
            """
            state_dict equals the moving average: the file was written after a validation, with the averages swapped \
            in
            """
        )
        return (
            average.collected == nil ? "none: not in the file" : "ema.collected_params",
            "ema.shadow_params, and state_dict"
        )
    }

    private init(safetensors path: String) throws {
        let file = try SafetensorsFile(path: path)
        self.path = path
        kind =
            switch file.metadata["format"] {
            case TrainingCheckpoint.format: "training checkpoint"
            case ImportedFiles.format: "imported weights"
            default: "safetensors"
            }
        (epoch, step) = (file.metadata["epoch"].flatMap(Int.init), file.metadata["step"].flatMap(Int.init))
        hyperParameters = file.metadata.filter { $0.key != "spec" }.sorted { $0.key < $1.key }.map {
            ($0.key.printable, $0.value.printable)
        }
        tensors = file.entries.map { Entry(name: $0.name.printable, shape: $0.shape, type: $0.type.rawValue) }
        let groups = Dictionary(grouping: tensors) {
            $0.name.contains("/") ? String($0.name.prefix { $0 != "/" }) : "tensors"
        }
        parts = groups.sorted { $0.key < $1.key }.map { ($0.key, $0.value.count, $0.value.reduce(0) { $0 + $1.count }) }
        func place(_ part: String, _ choice: String) -> String {
            guard groups[part] != nil else { return "none: not in the file" }
            return part + "/" + (file.metadata["\(choice)_from"].map { " (from \($0))" } ?? "")
        }
        (rawWeights, averagedWeights) = (place("weights", "raw"), place("ema", "ema"))
    }
}

extension PickleValue {
    /// The value in a line: containers by their size, classes by their name.
    var brief: String {
        switch self {
        case .none: "none"
        case .bool(let value): value ? "true" : "false"
        case .int(let value): String(value)
        case .bigInteger(let bytes): "an integer of \(bytes.count) bytes"
        case .float(let value): value.description
        case .string(let text): (text.count <= 120 ? text : text.prefix(117) + "...").printable
        case .bytes(let bytes): "\(bytes.count) bytes"
        case .list(let elements), .tuple(let elements), .set(let elements):
            elements.count <= 16 && elements.allSatisfy(\.isScalar)
                ? "[" + elements.map(\.brief).joined(separator: ", ") + "]" : "\(elements.count) elements"
        case .dictionary(let dictionary): "\(dictionary.pairs.count) entries"
        case .tensor(let tensor): "tensor \(tensor.shape) of \(tensor.type.rawValue)"
        case .reference(let name): "class \(name)".printable
        case .object(let object): "object of class \(object.type)".printable
        }
    }

    private var isScalar: Bool {
        switch self {
        case .none, .bool, .int, .float, .string: true
        default: false
        }
    }
}

extension String {
    /// The text with control characters replaced, which a terminal would execute.
    var printable: String {
        String(
            String.UnicodeScalarView(unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 })
        )
    }
}
