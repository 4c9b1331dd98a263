import Diagnostics
import Experiments
import Foundation
import TestFolders
import Testing
import WeightFiles

/// Cases that are damaged in one place: each is refused or fails with a reason, and none stops the program.
@Suite struct ConformanceFuzzTests {
    /// Small cases, each with the arrays that its checks read.
    static let cases: [(id: String, arrays: [String])] = [
        ("sde/sbve_default", ["t", "std", "mean_re", "sigma_t", "sigma_bar_t", "x0_im", "y_re"]),
        ("transform/segment_short_odd_not", ["clean", "noisy", "X_re", "Y_im"]),
        ("loss/denoiser_edm", ["forward_out_re", "mean_im", "std", "grad_forward_out_re"]),
        ("model_forward/score_ncsnpp", ["x_t_re", "y_im", "t", "output_re"]),
        ("sampler/sb_ode_n5", ["y_re", "sample_im"]),
        ("edm2/schedule", ["t", "sigma", "w_y", "c_in", "weight_1"]),
        ("storm/sde_ouvp", ["x0_re", "t", "std", "reverse_discretize_f_im"]),
        ("flow_matching/path_sigma_min", ["x0_re", "t", "z_im", "target_re", "equivalent_diffusion"]),
    ]

    private final class Copy {
        let owner: TestFolder
        var root: String { owner.path }
        let id: String
        let original: [String: Any]

        init(_ id: String) throws {
            self.id = id
            owner = try TestFolder()
            let root = owner.path
            let source = ConformanceTests.root + "/" + id
            let kind = id.split(separator: "/").dropLast().joined(separator: "/")
            try FileManager.default.createDirectory(atPath: root + "/" + kind, withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: source, toPath: root + "/" + id)
            let data = try Data(contentsOf: URL(fileURLWithPath: source + "/case.json"))
            original = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        }

        func passes(_ json: [String: Any]) throws -> Bool {
            try JSONSerialization.data(withJSONObject: json).write(to: URL(fileURLWithPath: root + "/\(id)/case.json"))
            return passes()
        }

        func passes() -> Bool {
            let checks = ConformanceRunner().run(id, in: root)
            return !checks.isEmpty && checks.allSatisfy(\.passes)
        }
    }

    /// What stands at a path is replaced, or removed.
    private static func changed(_ json: [String: Any], _ path: [String], to value: Any?) -> [String: Any] {
        var json = json
        if path.count == 1 {
            json[path[0]] = value
        } else if let inner = json[path[0]] as? [String: Any] {
            json[path[0]] = changed(inner, Array(path.dropFirst()), to: value)
        }
        return json
    }

    private static func paths(_ json: [String: Any], below prefix: [String] = []) -> [[String]] {
        json.keys.sorted().flatMap { key -> [[String]] in
            let path = prefix + [key]
            return [path] + ((json[key] as? [String: Any]).map { paths($0, below: path) } ?? [])
        }
    }

    private static var wrong: [Any] {
        [
            NSNull(), -1, 0, 0.5, 3, 1e300, 123_456_789, "nan", "inf", "text", [] as [Int], [1, 2], ["a"], ["x": 1],
            true,
        ]
    }

    @Test(arguments: cases.map(\.id)) func noDamagedCaseStopsTheProgram(id: String) throws {
        let copy = try Copy(id)
        #expect(try copy.passes(copy.original), "the case itself passes")
        var count = 0
        let sections = Set([
            "hyperparameters", "scalars", "tolerances", "sampler", "tensors", "complex", "weights", "combinations",
            "noise_order", "kind",
        ])
        for path in Self.paths(copy.original) where sections.contains(path[0]) {
            _ = try copy.passes(Self.changed(copy.original, path, to: nil))
            for value in Self.wrong {
                let passes = try copy.passes(Self.changed(copy.original, path, to: value))
                count += 1
                // A number that is none is understood nowhere.
                if path.count == 2, ["hyperparameters", "tolerances"].contains(path[0]),
                    copy.original[path[0]].map({ ($0 as? [String: Any])?[path[1]] is NSNumber }) ?? false
                {
                    let isNone =
                        value is [String: Any] || (value as? String) == "nan" || (value as? [Any])?.isEmpty == true
                    let isRemark = ["gpus", "format", "base_dir"].contains(path[1])
                    if isNone, !isRemark { #expect(!passes, "\(path) = \(value)") }
                }
            }
        }
        #expect(count >= 200, "\(count) cases")
    }

    @Test(arguments: cases.map(\.id)) func whatNobodyReadsIsNotUnderstood(id: String) throws {
        let copy = try Copy(id)
        for section in [["extra"], ["hyperparameters", "extra"], ["scalars", "extra"], ["tensors", "extra"]] {
            #expect(try !copy.passes(Self.changed(copy.original, section, to: 1)), "\(section)")
        }
    }

    @Test(arguments: cases.map(\.id)) func damagedArraysFail(id: String) throws {
        let copy = try Copy(id)
        let arrays = try #require(Self.cases.first { $0.id == id }).arrays
        for name in arrays {
            let path =
                copy.root + "/\(id)/"
                + (try #require((copy.original["tensors"] as? [String: [String: Any]])?[name]?["file"] as? String))
            let good = try Data(contentsOf: URL(fileURLWithPath: path))
            let array = try NumPyFile.read(path: path)
            var damaged: [NamedArray] = []
            var scaled = array
            scaled.values = array.values.map { 0.9 * $0 + 0.01 }
            damaged.append(scaled)
            var broken = array
            broken.values[array.values.count / 2] = .nan
            damaged.append(broken)
            damaged.append(NamedArray(name: nil, shape: [array.values.count, 1, 1], values: array.values))
            damaged.append(NamedArray(name: nil, shape: [1], values: [1]))
            damaged.append(NamedArray(name: nil, shape: array.shape + [2], values: array.values + array.values))
            for (number, one) in damaged.enumerated() {
                try NumPyFile.write(one, to: path)
                #expect(try !copy.passes(copy.original), "\(name), damage \(number)")
                // The case states the new shape, too.
                let stated = Self.changed(copy.original, ["tensors", name, "shape"], to: one.shape)
                #expect(try !copy.passes(stated), "\(name), damage \(number), as the case states")
            }
            for end in [0, 1, 20, good.count / 2] {
                try good.prefix(end).write(to: URL(fileURLWithPath: path))
                #expect(try !copy.passes(copy.original), "\(name), cut after \(end) bytes")
            }
            try FileManager.default.removeItem(atPath: path)
            #expect(try !copy.passes(copy.original), "\(name) is missing")
            try good.write(to: URL(fileURLWithPath: path))
        }
    }

    /// A case's own step is used: with another one, the discretised steps differ.
    @Test func theStepThatACaseStatesIsUsed() throws {
        let owner = try TestFolder()
        let folder = owner.path
        try FileManager.default.createDirectory(atPath: folder + "/sde/one", withIntermediateDirectories: true)
        // dx = θ (y − x) dt: one step of 0.25 from x = 1, y = 3 with θ = 2 adds 1.
        let shape = [1, 1, 1, 1]
        func write(_ name: String, _ value: Float, _ shape: [Int]) throws {
            try NumPyFile.write(
                NamedArray(name: nil, shape: shape, values: [value]), to: folder + "/sde/one/\(name).npy")
        }
        var tensors: [String: Any] = [:]
        for (name, value) in ["x_re": 1, "x_im": 0, "y_re": 3, "y_im": 0, "discretize_f_re": 1, "discretize_f_im": 0]
            as [String: Float]
        {
            try write(name, value, shape)
            tensors[name] = ["file": name + ".npy", "shape": shape, "dtype": "float32"]
        }
        try write("t", 0.5, [1])
        tensors["t"] = ["file": "t.npy", "shape": [1], "dtype": "float32"]
        for (step, isRight) in [(0.25, true), (1.0 / 30, false)] {
            let json: [String: Any] = [
                "kind": "sde", "name": "one", "complex": ["x", "y", "discretize_f"], "tensors": tensors,
                "tolerances": ["relmax": 1e-5],
                "hyperparameters": ["sde": "ouve", "theta": 2, "sigma_min": 0.05, "sigma_max": 0.5, "N": 30],
                "scalars": ["stepsize": step],
            ]
            try JSONSerialization.data(withJSONObject: json).write(
                to: URL(fileURLWithPath: folder + "/sde/one/case.json"))
            let checks = ConformanceRunner().run("sde/one", in: folder)
            #expect(checks.allSatisfy(\.passes) == isRight, "\(step): \(checks)")
        }
    }
}
