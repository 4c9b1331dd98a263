extension LightningCheckpoint {
    /// Which weights are wanted.
    public enum Choice: String, Hashable, Sendable, CaseIterable {
        /// As the optimizer left them.
        case raw
        /// The moving average; an error where the file has none.
        case averaged
        /// The moving average where there is one, else the raw weights; what evaluation usually wants.
        case averagedIfPresent
        /// Whatever `state_dict` holds, raw or averaged: what loading without averages would use.
        case stored
    }

    /// The part of the file that weights came from.
    public enum Origin: String, Hashable, Sendable {
        case stateDict = "state_dict"
        case shadow = "ema.shadow_params"
        case collected = "ema.collected_params"
        case module = "the ema module"
    }

    /// Weights, where they came from, and a remark for the user.
    public struct Weights: Sendable {
        /// Every tensor of the state dictionary; buffers always come from there.
        public var arrays: [NamedArray]
        /// The part of the file that ``arrays`` were read from, buffers aside.
        public var origin: Origin
        /// Whether they are a moving average, whichever part of the file holds them.
        public var areAveraged: Bool
        /// A remark for the user, such as that raw weights are not in the file.
        public var remark: String?
    }

    /// Reads the raw or the averaged weights.
    ///
    /// A checkpoint that was written while the averages were swapped in has them in `state_dict` and the raw
    /// weights in `ema.collected_params`. It is recognised by its values: `state_dict` equals `shadow_params`
    /// exactly. Otherwise `state_dict` holds the raw weights, and `collected_params`, if any, are older ones.
    ///
    /// - Parameter names: The network's parameters in order, to which the averages belong one by one.
    ///   Without it they are the state dictionary's entries except those named like buffers.
    /// - Throws: `.missing` where averages are wanted and absent; `.malformed` where they do not fit.
    public func weights(_ choice: Choice, parameters names: [String]? = nil) throws(WeightFileError) -> Weights {
        if stateIsAverage {
            guard choice != .raw else {
                throw WeightFileError(
                    .missing, file: file.path, "holds the moving average alone", hint: "ask for the averaged weights")
            }
            return Weights(arrays: try arrays([:]), origin: .module, areAveraged: true, remark: nil)
        }
        guard let movingAverage else {
            guard choice != .averaged else {
                throw WeightFileError(
                    .missing, file: file.path, "has no moving average", hint: "ask for the raw weights")
            }
            return Weights(
                arrays: try arrays([:]), origin: .stateDict, areAveraged: false,
                remark: choice == .averagedIfPresent ? "the file has no moving average: these are the raw weights" : nil
            )
        }
        let order = try averagedNames(names, count: movingAverage.shadow.count)
        let shadow = try assigned(movingAverage.shadow, to: order, place: "ema.shadow_params")
        if choice == .stored {
            return Weights(
                arrays: try arrays([:]), origin: .stateDict, areAveraged: try stateEquals(shadow), remark: nil)
        }
        guard choice == .raw else {
            return Weights(arrays: try arrays(shadow), origin: .shadow, areAveraged: true, remark: nil)
        }
        guard try stateEquals(shadow) else {
            return Weights(arrays: try arrays([:]), origin: .stateDict, areAveraged: false, remark: nil)
        }
        guard let collected = movingAverage.collected else {
            return Weights(
                arrays: try arrays([:]), origin: .stateDict, areAveraged: true,
                remark: "state_dict equals the moving average, and the file has no other weights")
        }
        let raw = try assigned(collected, to: order, place: "ema.collected_params")
        let isSame = try stateEquals(raw)
        return Weights(
            arrays: try arrays(raw), origin: .collected, areAveraged: isSame,
            remark: isSame
                ? "state_dict and collected_params both equal the moving average: the raw weights are not in the file"
                : "state_dict holds the moving average; the raw weights were kept in collected_params")
    }

    /// Whether `state_dict` holds the moving average, as in a file written while it was swapped in; `nil` without one.
    ///
    /// - Throws: `.malformed` where the averages do not fit the state dictionary.
    public func stateHoldsAverage(parameters names: [String]? = nil) throws(WeightFileError) -> Bool? {
        guard let movingAverage else { return nil }
        let order = try averagedNames(names, count: movingAverage.shadow.count)
        return try stateEquals(assigned(movingAverage.shadow, to: order, place: "ema.shadow_params"))
    }

    /// Every moving average of a training state of EDM2, whole; empty for other files.
    public func allAverages() throws(WeightFileError) -> [[NamedArray]] {
        var all: [[NamedArray]] = []
        for average in contents["ema"]?.dictionaryValue?["emas"]?.elements ?? [] {
            var arrays: [NamedArray] = []
            for pair in average.dictionaryValue?.pairs ?? [] {
                if let name = pair.key.stringValue, let tensor = pair.value.tensorValue {
                    arrays.append(try file.array(tensor, name: name))
                }
            }
            all.append(arrays)
        }
        return all
    }

    // MARK: Which tensor is whose

    /// The names that the averages belong to, in order.
    private func averagedNames(_ names: [String]?, count: Int) throws(WeightFileError) -> [String] {
        let order = names ?? parameters.map(\.name).filter { !Self.isBuffer($0) }
        guard order.count == count else {
            throw WeightFileError(
                .malformed, file: file.path, place: "ema",
                "averages of \(count) parameters for a network with \(order.count)",
                hint: "the file belongs to another network, or is damaged")
        }
        return order
    }

    private func assigned(
        _ tensors: [TensorReference], to order: [String], place: String
    ) throws(WeightFileError) -> [String: TensorReference] {
        let shapes = Dictionary(parameters.map { ($0.name, $0.tensor.shape) }) { first, _ in first }
        guard tensors.count == order.count else {
            throw WeightFileError(
                .malformed, file: file.path, place: place, "\(tensors.count) tensors for \(order.count) parameters")
        }
        var assigned: [String: TensorReference] = [:]
        for (name, tensor) in zip(order, tensors) {
            guard shapes[name] == tensor.shape else {
                let expected = shapes[name].map { "\($0)" } ?? "nothing"
                throw WeightFileError(
                    .malformed, file: file.path, place: place,
                    "shape \(tensor.shape) for '\(name)', where state_dict has \(expected)")
            }
            assigned[name] = tensor
        }
        return assigned
    }

    /// Whether a name is one of those that batch normalisation and the perceptual loss give their constants.
    static func isBuffer(_ name: String) -> Bool {
        guard !name.hasPrefix("pesq_loss.") else { return true }
        let last = name.split(separator: ".").last ?? ""
        return last.hasPrefix("running_") || last == "num_batches_tracked" || last == "freqs" || last == "phases"
            || ["RMr", "RMi", "RVrr", "RVri", "RVii"].contains(last)
    }

    private func stateEquals(_ other: [String: TensorReference]) throws(WeightFileError) -> Bool {
        for parameter in parameters {
            guard let tensor = other[parameter.name], tensor != parameter.tensor else { continue }
            let (mine, theirs) = (try file.array(parameter.tensor), try file.array(tensor))
            let isEqual = zip(mine.values, theirs.values).allSatisfy { $0.bitPattern == $1.bitPattern }
            guard isEqual else { return false }
        }
        return true
    }

    /// The state dictionary's tensors, with those in `replacements` taken from there.
    private func arrays(_ replacements: [String: TensorReference]) throws(WeightFileError) -> [NamedArray] {
        var arrays: [NamedArray] = []
        arrays.reserveCapacity(parameters.count)
        for parameter in parameters {
            do {
                arrays.append(try file.array(replacements[parameter.name] ?? parameter.tensor, name: parameter.name))
            } catch {
                var located = error
                located.place = "tensor '\(parameter.name)'" + (error.place.map { ", \($0)" } ?? "")
                throw located
            }
        }
        return arrays
    }
}
