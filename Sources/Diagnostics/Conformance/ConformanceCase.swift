public import Failures
import Foundation
public import Models
public import SpecLanguage
import Specs
public import Tensors
public import WeightFiles

/// A folder of reference values: `case.json` with arrays and weights beside it.
public struct ConformanceCase: Sendable {
    /// `<kind>/<name>`.
    public let id: String
    /// Chooses the ``ConformanceChecker``; "" where the case names none, which no checker takes.
    public let kind: String
    /// The folder of `case.json`; files that it names are relative to it.
    public let folder: String
    /// The content of `case.json`.
    public let json: JSON

    public init(folder: String, id: String) throws {
        self.folder = folder
        self.id = id
        json = try JSON.read(folder + "/case.json")
        kind = json["kind"]?.text ?? ""
    }

    /// The settings of the reference; an empty object where the case has none.
    public var hyperparameters: JSON { json["hyperparameters"] ?? .object([:]) }

    /// Whether the case has an array of that name, or a complex one in two parts.
    public func has(_ name: String) -> Bool {
        json["tensors"]?[name] != nil || json["tensors"]?[name + "_re"] != nil
    }

    /// A stored array.
    public func array(_ name: String) throws -> NamedArray {
        guard let file = json["tensors"]?[name]?["file"]?.text else {
            throw ConformanceError(id: id, reason: "has no tensor '\(name)'")
        }
        return try NumPyFile.read(path: folder + "/" + file)
    }

    /// A stored array as a tensor of the same shape.
    ///
    /// - Throws: ``ConformanceError`` where the case has none of that name; what reading the file throws.
    public func tensor(_ name: String) throws -> Tensor {
        let array = try array(name)
        return Tensor(array.values, shape: array.shape)
    }

    /// Complex spectrograms `[…, 1, F, N]`, stored as two files, as `[…, F, N, 2]`; the channel axis of size 1 goes.
    public func spectrogram(_ name: String) throws -> Tensor {
        let (re, im) = (try array(name + "_re"), try array(name + "_im"))
        var shape = re.shape
        if shape.count >= 4, shape[shape.count - 3] == 1 { shape.remove(at: shape.count - 3) }
        var values = [Float](repeating: 0, count: 2 * re.values.count)
        for index in re.values.indices {
            values[2 * index] = re.values[index]
            values[2 * index + 1] = im.values[index]
        }
        return Tensor(values, shape: shape + [2])
    }

    /// A number of the section `scalars`.
    ///
    /// - Throws: ``ConformanceError`` where it is not there.
    public func scalar(_ name: String) throws -> Double {
        guard let value = json["scalars"]?[name]?.number else {
            throw ConformanceError(id: id, reason: "has no scalar '\(name)'")
        }
        return value
    }

    /// The largest error that passes, from the section `tolerances`.
    ///
    /// - Throws: ``ConformanceError`` where it is not there: a tolerance is never assumed.
    public func tolerance(_ name: String) throws -> Double {
        guard let value = json["tolerances"]?[name]?.number else {
            throw ConformanceError(id: id, reason: "states no tolerance '\(name)'")
        }
        return value
    }

    /// A file named under `key`, which may lie in another case's folder.
    public func path(_ key: String) -> String? { json[key]?["file"]?.text.map { folder + "/" + $0 } }

    /// The hyper-parameters that `entry` declares, over its defaults.
    public func settings(of entry: EntryDescriptor) throws -> Settings {
        do { return try entry.settings(from: hyperparameters) } catch {
            throw ConformanceError(id: id, reason: "not understood: \(error.summary)")
        }
    }
}

/// A parameter that an entry of a registry does not take.
public struct ParameterError: Diagnostic, Hashable, Sendable {
    public var summary: String
    public var category: FailureCategory { .work }
}

extension EntryDescriptor {
    /// Its parameters, taken from an object of the reference's hyper-parameters where that has them.
    public func settings(from object: JSON) throws(ParameterError) -> Settings {
        var settings = defaults()
        for field in parameters.fields {
            guard let value = object[field.name], !value.isNull else { continue }
            guard let read = SettingValue(value, as: field.type), field.type.takes(read) else {
                throw ParameterError(summary: "'\(field.name)' of \(name) cannot be what the case says")
            }
            settings[field.name] = read
        }
        return settings
    }
}

extension FieldType {
    /// Whether a value is of the type and within its bounds.
    fileprivate func takes(_ value: SettingValue) -> Bool {
        switch (self, value) {
        case (.bool, .bool), (.text, .text): true
        case (.integer(let bounds), .integer(let value)): bounds.contains(Double(value))
        case (.number(let bounds), .number(let value)): value.isFinite && bounds.contains(value)
        case (.oneOf(let names), .text(let name)): names.contains(name)
        case (.list(let element, let count, _), .list(let values)):
            values.count >= count && values.allSatisfy { element.takes($0) }
        default: false
        }
    }
}

extension SettingValue {
    init?(_ json: JSON, as type: FieldType) {
        switch (type, json) {
        case (.integer, .number):
            guard let value = json.int else { return nil }
            self = .integer(value)
        case (_, .number(let value)): self = .number(value)
        case (_, .bool(let value)): self = .bool(value)
        case (_, .text(let value)): self = .text(value)
        case (.list(let element, _, _), .list(let values)):
            let read = values.map { SettingValue($0, as: element) }
            guard !read.contains(nil) else { return nil }
            self = .list(read.compactMap(\.self))
        default: return nil
        }
    }
}

/// A case that cannot be run, with the reason.
public struct ConformanceError: Diagnostic, Hashable, Sendable {
    public var id: String
    /// What the case lacks, or what cannot be understood in it.
    public var reason: String

    public init(id: String, reason: String) {
        self.id = id
        self.reason = reason
    }

    public var place: String? { id }
    public var summary: String { reason }
    public var category: FailureCategory { .work }
    public var description: String { line }
}

/// One compared quantity of a case.
public struct ConformanceCheck: Hashable, Sendable {
    public var id: String
    /// What was compared, such as `gradient of conv1.weight`.
    public var quantity: String
    /// The deviation, in the tolerance's measure.
    public var error: Double
    /// The largest `error` that passes.
    public var tolerance: Double
    /// What went wrong where nothing could be compared.
    public var reason: String?

    /// Whether the quantity was compared and is within the tolerance; a NaN error fails.
    public var passes: Bool { reason == nil && error <= tolerance }
}

/// Collects the checks of one case.
public struct ConformanceReport {
    public let id: String
    /// In the order in which they were made.
    public private(set) var checks: [ConformanceCheck] = []

    public init(id: String) { self.id = id }

    /// Adds a quantity whose deviation the caller computed, in the tolerance's measure.
    public mutating func add(_ quantity: String, error: Double, tolerance: Double) {
        checks.append(ConformanceCheck(id: id, quantity: quantity, error: error, tolerance: tolerance))
    }

    /// A statement that must hold, such as that two lists have the same names.
    public mutating func require(_ quantity: String, _ holds: Bool, _ reason: @autoclosure () -> String) {
        checks.append(
            ConformanceCheck(
                id: id, quantity: quantity, error: holds ? 0 : .infinity, tolerance: 0, reason: holds ? nil : reason()))
    }

    /// `max|a − b| / max|b|` over whole tensors; another shape, or a NaN, is an infinite error.
    public mutating func compare(
        _ quantity: String, _ a: [Float], _ b: [Float], relmax tolerance: Double, floor: Double = 0
    ) {
        add(quantity, error: Self.relmax(a, b, floor: floor), tolerance: tolerance)
    }

    /// `max|a − b| / max(max|b|, floor)`; infinite for another number of elements or a NaN, 0 for equal values.
    public static func relmax(_ a: [Float], _ b: [Float], floor: Double = 0) -> Double {
        guard a.count == b.count else { return .infinity }
        var (difference, scale) = (0.0, floor)
        for index in a.indices {
            let d = abs(Double(a[index]) - Double(b[index]))
            guard !d.isNaN else { return .infinity }
            difference = max(difference, d)
            scale = max(scale, abs(Double(b[index])))
        }
        return difference == 0 ? 0 : difference / scale
    }
}

/// Compares one kind of case with this implementation.
public struct ConformanceChecker: Sendable {
    /// The kind of case it checks, as `case.json` names it.
    public let kind: String
    /// Computes the quantities of the case and adds the comparisons; an error that it throws becomes a failed check.
    public let check: @Sendable (ConformanceCase, Catalog, inout ConformanceReport) throws -> Void

    public init(
        _ kind: String, _ check: @escaping @Sendable (ConformanceCase, Catalog, inout ConformanceReport) throws -> Void
    ) {
        self.kind = kind
        self.check = check
    }
}
