/// A module of PyTorch inside a pickle: its tensors by their names in a state dictionary, and its plain attributes.
///
/// The module's class is not needed and not run; its `__dict__` holds parameters, buffers and submodules.
public struct PickledModule: Sendable {
    private let state: PickleDictionary

    /// - Parameter value: An instance whose state has `_parameters`, `_buffers` and `_modules`; `nil` for anything
    ///   else.
    public init?(_ value: PickleValue) {
        guard case .object(let object) = value, let state = object.state?.dictionaryValue, state["_modules"] != nil,
            state["_parameters"] != nil
        else { return nil }
        self.state = state
    }

    /// An attribute that is no tensor of the state dictionary.
    public func attribute(_ name: String) -> PickleValue? { state[name] }

    /// A part, by its dotted name.
    public func part(_ path: String) -> PickledModule? {
        path.split(separator: ".").reduce(Optional(self)) { module, name in
            module?.state["_modules"]?.dictionaryValue?[String(name)].flatMap(PickledModule.init)
        }
    }

    /// The names of the parts, in order.
    public var parts: [String] { (state["_modules"]?.dictionaryValue?.pairs ?? []).compactMap(\.key.stringValue) }

    /// All tensors, parameters before buffers in every module, then those of its parts.
    ///
    /// - Parameter depth: How deep modules may still be nested.
    public func tensors(depth: Int = 32) -> [(name: String, tensor: TensorReference)] {
        var tensors: [(name: String, tensor: TensorReference)] = []
        for kind in ["_parameters", "_buffers"] {
            for pair in state[kind]?.dictionaryValue?.pairs ?? [] {
                if let name = pair.key.stringValue, let tensor = pair.value.tensorValue {
                    tensors.append((name, tensor))
                }
            }
        }
        guard depth > 0 else { return tensors }
        for name in parts {
            tensors += (part(name)?.tensors(depth: depth - 1) ?? []).map { ("\(name).\($0.name)", $0.tensor) }
        }
        return tensors
    }
}
