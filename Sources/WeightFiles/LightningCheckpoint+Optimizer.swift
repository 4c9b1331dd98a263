extension LightningCheckpoint {
    /// The state of Adam when a checkpoint was written.
    public struct Adam: Sendable {
        /// The updates that the moments have seen.
        public var updates: Int
        /// The averages of the gradient and of its square; a parameter that was never updated has none.
        public var moments: [String: (first: NamedArray, second: NamedArray)]

        public init(updates: Int, moments: [String: (first: NamedArray, second: NamedArray)]) {
            (self.updates, self.moments) = (updates, moments)
        }
    }

    /// The state of the first optimizer, or nil where the file has none, or that of another optimizer.
    ///
    /// The file numbers the parameters as the optimizer was given them: the network's in order, then perhaps others,
    /// such as the constants of the perceptual loss, which have no state.
    ///
    /// - Parameter names: The network's parameters in order.
    /// - Throws: `.malformed` for moments that do not fit the weights.
    public func adam(parameters names: [String]) throws(WeightFileError) -> Adam? {
        guard let optimizer, let states = optimizer["state"]?.dictionaryValue,
            states.pairs.contains(where: { $0.value.dictionaryValue?["exp_avg"] != nil })
        else { return nil }
        let order = (optimizer["param_groups"]?.elements ?? []).flatMap {
            $0.dictionaryValue?["params"]?.elements ?? []
        }
        let shapes = Dictionary(parameters.map { ($0.name, $0.tensor.shape) }) { first, _ in first }
        var adam = Adam(updates: 0, moments: [:])
        for (name, number) in zip(names, order) {
            guard let state = states[number]?.dictionaryValue else { continue }
            func moment(_ key: String) throws(WeightFileError) -> NamedArray {
                let place = "optimizer_states, '\(name)'"
                guard let tensor = state[key]?.tensorValue else {
                    throw WeightFileError(.malformed, file: file.path, place: place, "has no \(key)")
                }
                guard tensor.shape == shapes[name] else {
                    throw WeightFileError(
                        .malformed, file: file.path, place: place,
                        """
                        \(key) has shape \(tensor.shape), where state_dict has \
                        \(shapes[name].map { "\($0)" } ?? "nothing")
                        """
                    )
                }
                let array = try file.array(tensor, name: name)
                guard array.values.allSatisfy(\.isFinite) else {
                    throw WeightFileError(
                        .malformed, file: file.path, place: place, "\(key) holds a number that is not finite")
                }
                return array
            }
            adam.moments[name] = (try moment("exp_avg"), try moment("exp_avg_sq"))
            adam.updates = max(adam.updates, try updates(state["step"]))
        }
        return adam.moments.isEmpty ? nil : adam
    }

    /// A step counter, which is a number in older files and a tensor in newer ones.
    private func updates(_ value: PickleValue?) throws(WeightFileError) -> Int {
        if let count = value?.intValue { return count }
        if let tensor = value?.tensorValue, tensor.count == 1, let count = try file.array(tensor).values.first,
            let exact = Int(exactly: count)
        {
            return exact
        }
        throw WeightFileError(.malformed, file: file.path, place: "optimizer_states", "its step is no count")
    }
}
