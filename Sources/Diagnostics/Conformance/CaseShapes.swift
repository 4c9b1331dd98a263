import Foundation
import WeightFiles

/// Checks the shapes of a case's arrays: each file has the stated shape, and the arrays of one case agree.
///
/// A dimension is written as a letter, which is the same number in all arrays of a case, or as a number.
struct CaseShapes {
    private let one: ConformanceCase
    private let complex: Set<String>

    init(_ one: ConformanceCase) {
        self.one = one
        complex = Set((one.json["complex"]?.elements ?? []).compactMap(\.text))
    }

    private func fail(_ name: String, _ reason: String) -> ConformanceError {
        ConformanceError(id: one.id, reason: "the array '\(name)' \(reason)")
    }

    func check() throws(ConformanceError) {
        guard let tensors = one.json["tensors"], !tensors.isNull else { return }
        guard case .object(let members) = tensors else {
            throw ConformanceError(id: one.id, reason: "not understood: 'tensors' is no object")
        }
        for name in complex.sorted() {
            for part in ["_re", "_im"] where members[name + part] == nil {
                throw fail(name + part, "is missing, and '\(name)' is said to be complex")
            }
        }
        var dimensions: [String: (size: Int, of: String)] = [:]
        let parts = Set(complex.flatMap { [$0 + "_re", $0 + "_im"] })
        for (name, entry) in members.sorted(by: { $0.key < $1.key }) {
            let shape = try stored(name, entry)
            let base = parts.contains(name) ? String(name.dropLast(3)) : name
            guard let patterns = patterns(of: base) else {
                throw fail(name, "is not understood: no quantity of a case of '\(one.kind)' is called so")
            }
            try match(shape, patterns, name, &dimensions)
        }
        try checkNoise(members)
    }

    /// The shape of a file, which is the one that the case states.
    private func stored(_ name: String, _ entry: JSON) throws(ConformanceError) -> [Int] {
        guard let file = entry["file"]?.text else { throw fail(name, "names no file") }
        let stated = (entry["shape"]?.elements ?? []).map(\.int)
        guard case .list? = entry["shape"], !stated.contains(nil) else { throw fail(name, "states no shape") }
        let array: NamedArray
        do { array = try NumPyFile.read(path: one.folder + "/" + file) } catch {
            throw fail(name, "cannot be read: \(error)")
        }
        guard array.shape == stated.compactMap(\.self) else {
            throw fail(name, "is \(array.shape) in its file, and \(stated.compactMap(\.self)) in the case")
        }
        guard array.values.count == array.shape.reduce(1, *), !array.values.isEmpty else {
            throw fail(name, "is empty")
        }
        if Self.inputs.contains(name) || Self.inputs.contains(String(name.dropLast(3))) {
            guard array.values.allSatisfy(\.isFinite) else { throw fail(name, "holds a value that is not finite") }
            if name == "t", !array.values.allSatisfy({ (0...1).contains($0) }) {
                throw fail(name, "holds a time outside of 0 to 1")
            }
        }
        return array.shape
    }

    private func match(
        _ shape: [Int], _ patterns: [String], _ name: String, _ dimensions: inout [String: (size: Int, of: String)]
    ) throws(ConformanceError) {
        let fitting = patterns.map { $0.split(separator: " ").map(String.init) }.filter { $0.count == shape.count }
        guard let pattern = fitting.first else {
            throw fail(
                name, "is \(shape), not [\(patterns.map { $0.replacing(" ", with: ", ") }.joined(separator: "] or ["))]"
            )
        }
        for (letter, size) in zip(pattern, shape) {
            if let fixed = Int(letter) {
                guard fixed == size else { throw fail(name, "is \(shape), not [\(pattern.joined(separator: ", "))]") }
            } else if let known = dimensions[letter] {
                guard known.size == size else {
                    throw fail(name, "is \(shape), where '\(known.of)' has \(known.size) for \(letter)")
                }
            } else {
                dimensions[letter] = (size, name)
            }
        }
    }

    // MARK: Noise

    /// Every draw is stored, and the order names no other.
    private func checkNoise(_ members: [String: JSON]) throws(ConformanceError) {
        guard let noise = members["noise_re"], let stored = noise["shape"]?.elements.first?.int else { return }
        let order = one.json["noise_order"]
        let indices = order?.elements.map(\.int) ?? (0..<stored).map(Optional.some)
        guard indices.allSatisfy({ $0.map { (0..<stored).contains($0) } ?? false }) else {
            throw fail("noise", "has \(stored) draws, and 'noise_order' names others")
        }
        if let draws = one.json["scalars"]?["draws"]?.int, draws != indices.count {
            throw fail("noise", "has \(indices.count) draws in order, and the case says \(draws)")
        }
    }

    // MARK: Tables

    /// Arrays that are computed with; the others are compared.
    private static let inputs: Set<String> = [
        "x0", "x", "y", "x_t", "t", "z", "r", "z_r", "noise", "audio", "clean", "noisy", "ref", "deg", "input", "w1",
        "w2",
    ]

    private func patterns(of name: String) -> [String]? {
        if one.kind == "pad_spec" {
            return name.hasPrefix("in_") || name.hasPrefix("out_") ? ["B\(name.drop { $0 != "_" }) 1 F \(name)T"] : nil
        }
        if one.kind == "pipeline", name.hasPrefix("enhanced_"), Int(name.dropFirst(9)) != nil { return ["\(name)L"] }
        if one.kind == "loss", name.hasPrefix("grad_forward_out_"), Int(name.dropFirst(17)) != nil {
            return ["B 1 F T"]
        }
        if let pattern = CaseRules.kindRules[one.kind]?.pattern(name) { return pattern }
        return (CaseRules.kindRules[one.kind]?.shapes ?? Self.tables[one.kind])?[name]
    }

    static func table(_ names: String, _ patterns: String...) -> [String: [String]] {
        Dictionary(uniqueKeysWithValues: names.split(separator: " ").map { (String($0), patterns) })
    }

    static func joined(_ tables: [String: [String]]...) -> [String: [String]] {
        tables.reduce([:]) { $0.merging($1) { first, _ in first } }
    }

    private static let tables: [String: [String: [String]]] = [
        "sde": joined(
            table(
                """
                x0 x y score mean prior_noise prior drift discretize_f reverse_drift reverse_discretize_f \
                reverse_pf_drift reverse_pf_discretize_f
                """,
                "K 1 F T"),
            table(
                """
                t diffusion std discretize_G alpha reverse_diffusion reverse_discretize_G reverse_pf_diffusion \
                reverse_pf_discretize_G
                """,
                "K"),
            table("sigma_t sigma_bar_t alpha_t alpha_bar_t alpha_T", "K")),
        "transform": joined(
            table("clean noisy", "L"), table("X Y", "1 G S"), table("audio", "B L"), table("window", "W"),
            table("stft spec_fwd spec_back", "B F T"),
            table("istft", "B M")),
        "backbone": joined(
            table("x y output w1 w2 grad_x grad_y", "B 1 F T"), table("t", "B"), table("z_r grad_z_r", "B D")),
        "noise_encoder": joined(table("r grad_r", "B C F T", "B F T"), table("output w1", "B D")),
        "model_forward": joined(
            table("x_t y", "B 1 F T"), table("t", "B"), table("output", "B 1 F T", "O B 1 F T"), table("r", "B 1 F R"),
            table("z_r", "B D")),
        "loss": joined(
            table("x forward_out grad_forward_out y z mean x_t", "B 1 F T"), table("t std", "B"),
            table("r", "B 1 F R")),
        "pesq_loss": table("ref deg grad_deg grad_ref", "B L"),
        "sampler": joined(
            table("y sample sample_tight_tolerance", "B 1 F T"), table("noise", "K B 1 F T"),
            table("trace_x trace_mean", "S B 1 F T"), table("r", "B 1 F R"),
            table("z_r", "B D")),
        "training": joined(
            table("x y", "K B 1 F T"), table("z", "Z B 1 F T"), table("t", "S B"), table("r", "K B 1 F R")),
        "checkpoint": joined(
            table("x_t y output_evaluation_mode output_raw_weights", "B 1 F T"), table("t", "B"),
            table("r", "B 1 F R")),
        "pipeline": joined(
            table("enhanced", "L"), table("noise", "K 1 1 F M"), table("noisy", "1 A"),
            table("noise_reference", "1 R")),
        "resample": joined(table("input", "C L", "L"), table("output", "C M", "M")),
    ]
}
