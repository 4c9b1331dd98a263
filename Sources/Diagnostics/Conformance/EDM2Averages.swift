import Backbones
import Checkpoints
import Foundation
import Layers
import Models
import SpecLanguage
import Tensors
import Training
import WeightFiles

extension ConformanceCase {
    func checkPowerFunctions(_ report: inout ConformanceReport) throws {
        let relative = try tolerance("scalar_rel")
        func compare(_ name: String, _ value: Double, _ expected: Double?) throws {
            guard let expected else { throw ConformanceError(id: id, reason: "an entry of '\(name)' states no value") }
            report.add(
                name, error: abs(value - expected) / max(abs(expected), 1e-300), tolerance: expected == 0 ? 0 : relative
            )
        }
        func number(_ entry: JSON, _ key: String, std: Bool = false) throws -> Double {
            guard let value = entry[key]?.number, !std || value > 0 && value < 0.288 else {
                throw ConformanceError(id: id, reason: "not understood: '\(key)' of an average")
            }
            return value
        }
        for entry in json["exponent"]?.elements ?? [] {
            let profile = PowerFunction(std: try number(entry, "std", std: true))
            try compare("exponent", profile.exponent, entry["exponent"]?.number)
            try compare("std", PowerFunction.std(exponent: profile.exponent), entry["std_back"]?.number)
        }
        for entry in json["beta"]?.elements ?? [] {
            let profile = PowerFunction(std: try number(entry, "std", std: true))
            try compare(
                "beta", profile.decay(at: try number(entry, "t_next"), delta: try number(entry, "t_delta")),
                entry["beta"]?.number)
        }
        for entry in json["response"]?.elements ?? [] {
            let profile = PowerFunction(std: try number(entry, "std", std: true))
            let values = entry["values"]?.numbers ?? []
            let response = profile.response(
                offset: try number(entry, "offset"), count: entry["length"]?.int ?? values.count)
            guard response.count == values.count else {
                throw ConformanceError(id: id, reason: "a response has \(values.count) values")
            }
            for (value, expected) in zip(response, values) { try compare("response", value, expected) }
        }
        for entry in json["correlation"]?.elements ?? [] {
            let a = PowerFunction(std: try number(entry, "a_std", std: true))
            let value = a.correlation(
                at: try number(entry, "a_ofs"), with: PowerFunction(std: try number(entry, "b_std", std: true)),
                at: try number(entry, "b_ofs"))
            try compare("correlation", value, entry["value"]?.number)
        }
        try checkReconstruction(&report)
        try checkAverageUpdates(&report)
    }

    private func checkReconstruction(_ report: inout ConformanceReport) throws {
        guard let p = json["posthoc"] else { return }
        func profiles(_ prefix: String) -> [AverageProfile] {
            zip(p["\(prefix)_ofs"]?.numbers ?? [], p["\(prefix)_std"]?.numbers ?? []).filter { $1 > 0 && $1 < 0.288 }
                .map { AverageProfile(offset: $0, std: $1) }
        }
        let (kept, wanted) = (profiles("in"), profiles("out"))
        let expected = p["coefficients"]?.elements.map(\.numbers) ?? []
        guard !kept.isEmpty, !wanted.isEmpty, expected.count == kept.count,
            expected.allSatisfy({ $0.count == wanted.count })
        else {
            throw ConformanceError(id: id, reason: "not understood: 'posthoc'")
        }
        for (column, profile) in wanted.enumerated() {
            let found = AverageProfile.coefficients(of: kept, for: profile) ?? []
            let error =
                found.count == kept.count
                ? found.indices.reduce(0.0) { max($0, abs(found[$1] - expected[$1][column])) } : .infinity
            report.add("reconstruction \(column)", error: error, tolerance: try tolerance("posthoc_abs"))
        }
    }

    private func checkAverageUpdates(_ report: inout ConformanceReport) throws {
        guard let update = json["update"] else { return }
        let weights = try array("weights_sequence")
        let (steps, each) = (weights.shape[0], weights.shape.dropFirst().reduce(1, *))
        let batch = update["batch_size"]?.number ?? 1
        func sequence(_ decay: (Double) -> Double) -> [[Float]] {
            // An average begins as a copy of the first weights.
            var average = (0..<each).map { Double(weights.values[$0]) }
            return (0..<steps).map { step in
                let beta = decay(Double(step + 1) * batch)
                for i in 0..<each {
                    average[i] = beta * average[i] + (1 - beta) * Double(weights.values[step * each + i])
                }
                return average.map { Float($0) }
            }
        }
        let stds = update["stds"]?.numbers ?? []
        guard stds.allSatisfy({ $0 > 0 && $0 < 0.288 }) else {
            throw ConformanceError(id: id, reason: "not understood: 'update.stds'")
        }
        let profiles = stds.map { PowerFunction(std: $0) }
        let all = profiles.map { profile in sequence { profile.decay(at: $0, delta: batch) } }
        let joined = (0..<steps).flatMap { step in all.flatMap { $0[step] } }
        report.compare("averages", joined, try array("averages").values, relmax: try tolerance("averages_relmax"))
        guard let traditional = update["traditional"] else { return }
        let average = HalfLife(
            examples: traditional["halflife_Mimg"]?.number.map { $0 * 1e6 },
            ramp: traditional["rampup_ratio"]?.number ?? .infinity)
        let values = sequence { average.decay(at: $0, delta: batch) }.flatMap(\.self)
        report.compare(
            "traditional_averages", values, try array("traditional_averages").values,
            relmax: try tolerance("averages_relmax"))
    }

    // MARK: Files

    /// Files of weights: what a state dictionary, a training state or a snapshot holds, and what the network makes of
    /// it.
    func checkEDM2Checkpoint(_ catalog: Catalog, _ report: inout ConformanceReport) throws {
        guard let path = path("checkpoint") else { throw ConformanceError(id: id, reason: "names no checkpoint") }
        let checkpoint = try LightningCheckpoint(path: path)
        let limit = try tolerance("weights_abs")
        func compare(_ key: String, _ arrays: [NamedArray]) throws {
            guard let file = self.path(key) else { return }
            let expected = try SafetensorsFile(path: file)
            let byName = Dictionary(arrays.compactMap { array in array.name.map { ($0, array) } }) { first, _ in first }
            report.require(
                "\(key), names", Set(byName.keys) == Set(expected.names), "the file and the case have different names")
            var worst = 0.0
            for name in expected.names {
                let (a, b) = (byName[name]?.values ?? [], try expected.array(name).values)
                worst =
                    a.count == b.count
                    ? zip(a, b).reduce(worst) { max($0, abs(Double($1.0) - Double($1.1))) } : .infinity
            }
            report.add(key, error: worst, tolerance: limit)
        }
        let stored = try checkpoint.weights(.stored).arrays
        try compare("weights", stored)
        for (index, arrays) in try checkpoint.allAverages().enumerated() { try compare("weights_ema_\(index)", arrays) }
        if let file = self.path("adam_state") {
            try compareAdam(checkpoint, SafetensorsFile(path: file), limit, &report)
        }
        try compareLayout(checkpoint, catalog, &report)
        guard has("output") else { return }
        let network = try edm2Network(catalog)
        try network.load(stored)
        let output = try Gradients.off { network(try channelsLast("x"), try channelsLast("y"), try array("t").values) }
        report.compare(
            "output", output.values, try channelsLast("output").values, relmax: try tolerance("output_relmax"))
    }

    /// Whether the file's tensors alone describe the network of the case's hyper-parameters.
    private func compareLayout(_ checkpoint: LightningCheckpoint, _ catalog: Catalog, _ report: inout ConformanceReport)
        throws
    {
        guard let layout = try EDM2Layout(checkpoint), let entry = catalog.backbones["edm2"] else {
            return report.require("layout", false, "the file's tensors are not those of the network")
        }
        var settings = entry.descriptor.defaults()
        for (name, value) in layout.backbone { settings[name] = value }
        let (found, stated) = (try entry.build(settings).make(BackboneContext()), try edm2Network(catalog))
        let shapes = { (network: any Backbone) in
            (network.parameters + network.buffers).map { "\($0.name) \($0.shape)" }
        }
        report.require(
            "layout", shapes(found) == shapes(stated), "the network that the tensors describe is another one")
    }

    private func compareAdam(
        _ checkpoint: LightningCheckpoint, _ expected: SafetensorsFile, _ limit: Double,
        _ report: inout ConformanceReport
    ) throws {
        let names = json["parameter_order"]?.elements.compactMap(\.text) ?? []
        guard let adam = try checkpoint.adam(parameters: names) else {
            throw ConformanceError(id: id, reason: "the file has no state of Adam")
        }
        var (worst, compared) = (0.0, 0)
        for name in expected.names {
            let isSecond = name.hasSuffix(".exp_avg_sq")
            let moments = adam.moments[String(name.dropLast(isSecond ? ".exp_avg_sq".count : ".exp_avg".count))]
            let (values, stored) = (
                isSecond ? moments?.second.values : moments?.first.values, try expected.array(name).values
            )
            compared += values == nil ? 0 : 1
            worst =
                values?.count == stored.count
                ? zip(values ?? [], stored).reduce(worst) { max($0, abs(Double($1.0) - Double($1.1))) } : .infinity
        }
        report.require(
            "adam, names", compared == expected.names.count, "\(expected.names.count - compared) moments are missing")
        report.add("adam_state", error: worst, tolerance: limit)
    }
}
