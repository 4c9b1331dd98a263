import Backbones
package import Models
import Objectives
package import Specs
import Tensors
package import WeightFiles

/// The tensors of a model under the names and in the order of the reference's `state_dict`.
///
/// The network's parameters come first (`dnn.…`), then those of the noise encoder (`noise_encoder.…`), as the moving
/// average lists them; running statistics are not among them. Of a model with a regression in front, the regression's
/// come first (`denoiser_net.…`), then the network's (`score_net.…`).
package struct ModelLayout {
    package struct Entry {
        /// The name in a `state_dict`.
        package var name: String
        /// The name in our own checkpoints.
        package var ownName: String
        package var shape: [Int]
    }

    package let parameters: [Entry]
    package let buffers: [Entry]
    /// The names of parameters that a file may lack: those of the diffusion behind a regression that is trained alone.
    package let optional: Set<String>

    static let network = "dnn."
    static let encoder = "noise_encoder."
    static let regression = "denoiser_net."
    static let behindRegression = "score_net."

    /// - Throws: `BackboneError` for options that no network can be built from.
    package init(_ spec: ExperimentSpec, _ catalog: Catalog) throws {
        self.init(of: try ModelBuilder(spec: spec, catalog: catalog).networks(seed: 0, output: .score))
    }

    /// The layout of an existing model.
    package init(of model: ScoreModel) {
        let network = model.regression == nil ? Self.network : Self.behindRegression
        parameters = Self.ordered(model.weights.map { Self.entry($0.name, $0.parameter.shape, network) })
        buffers = model.buffers.map { Self.entry($0.name, $0.parameter.shape, network) }
        let waits = model.regression?.training == .alone
        optional = Set(waits ? parameters.map(\.name).filter { $0.hasPrefix(Self.behindRegression) } : [])
    }

    /// Our own names have a prefix for the encoder and the regression alone.
    private static func entry(_ name: String, _ shape: [Int], _ network: String) -> Entry {
        if name.hasPrefix(ScoreModel.regressionPrefix) {
            return Entry(
                name: regression + name.dropFirst(ScoreModel.regressionPrefix.count), ownName: name, shape: shape)
        }
        for (own, there) in stretch where name.hasPrefix(own) {
            return Entry(name: network + there + name.dropFirst(own.count), ownName: name, shape: shape)
        }
        return Entry(name: name.hasPrefix(encoder) ? name : network + name, ownName: name, shape: shape)
    }

    /// The layers that embed the interval's length in `ncsnpp_interval`, and their names in MeanFlowSE.
    private static let stretch = [
        ("interval_features.", "delta_gfproj."), ("interval_0.", "delta_fc1."), ("interval_1.", "delta_fc2."),
    ]

    /// The order of the reference, whose network has that embedding between its last layer and all others.
    private static func ordered(_ entries: [Entry]) -> [Entry] {
        let embedding = entries.filter { entry in stretch.contains { entry.ownName.hasPrefix($0.0) } }
        guard !embedding.isEmpty else { return entries }
        let others = entries.filter { entry in !embedding.contains { $0.name == entry.name } }
        let last = others.prefix { $0.ownName.hasPrefix("output_layer.") }
        return last + embedding + others.dropFirst(last.count)
    }

    package var names: [String] { parameters.map(\.name) }

    /// The entries as PyTorch's `state_dict` orders them: a module's running statistics follow its parameters.
    package var stateOrder: [Entry] {
        var waiting = Dictionary(grouping: buffers) { Self.module(of: $0.name) }
        var ordered: [Entry] = []
        for (index, entry) in parameters.enumerated() {
            ordered.append(entry)
            let module = Self.module(of: entry.name)
            let isLast = index + 1 == parameters.count || Self.module(of: parameters[index + 1].name) != module
            if isLast, let statistics = waiting.removeValue(forKey: module) { ordered += statistics }
        }
        return ordered + buffers.filter { waiting[Self.module(of: $0.name)] != nil }
    }

    private static func module(of name: String) -> Substring {
        name.prefix(upTo: name.lastIndex(of: ".") ?? name.startIndex)
    }

    /// The arrays of this model among `arrays`, each checked, in the order of ``stateOrder``.
    ///
    /// Running statistics may be missing, as where a file holds parameters alone; anything else is not part of the
    /// model.
    /// - Throws: `WeightsError` for a parameter that is missing, of another shape, or not finite.
    package func select(from arrays: [NamedArray], in file: String) throws(WeightsError) -> [NamedArray] {
        let byName = Dictionary(arrays.compactMap { array in array.name.map { ($0, array) } }, uniquingKeysWith: { $1 })
        let required = Set(names).subtracting(optional)
        var selected: [NamedArray] = []
        for entry in stateOrder {
            guard let array = byName[entry.name] else {
                guard required.contains(entry.name) else { continue }
                throw WeightsError(parameter: entry.name, reason: "is missing from \(file)")
            }
            guard array.shape == entry.shape else {
                throw WeightsError(
                    parameter: entry.name,
                    reason:
                        """
                        is \(array.shape) in \(file), and \(entry.shape) in the network that its hyper-parameters \
                        describe
                        """
                )
            }
            guard array.values.allSatisfy(\.isFinite) else {
                throw WeightsError(
                    parameter: entry.name,
                    reason: "holds a number in \(file) that is not finite; it is damaged, or its training failed")
            }
            selected.append(array)
        }
        return selected
    }
}
