import Foundation
import GRDB

/// A type that a column may hold. All values of SQLite are converted through it.
///
/// A store may be damaged, or made to do harm: each cell is checked when it is read, and a cell of another kind is an
/// error with its place, never a trap.
protocol StoredValue {
    /// The expected kind of value, for a message: "a whole number".
    static var wanted: String { get }
    init?(stored value: DatabaseValue)
}

/// One row being read: `try cells[3]` is the fourth column, checked.
struct Cells {
    let row: Row
    /// The table that most columns come from.
    let table: String

    init(_ row: Row, of table: String) { (self.row, self.table) = (row, table) }

    subscript<Value: StoredValue>(column: Int) -> Value {
        get throws {
            let stored: DatabaseValue = row[column]
            guard let value = Value(stored: stored) else {
                let names = Array(row.columnNames)
                let key = names.first.map { "\($0) = \(BadCell.text(of: row[0]))" } ?? ""
                throw BadCell(
                    table: table, row: key, column: names[column], value: BadCell.text(of: stored), wanted: Value.wanted
                )
            }
            return value
        }
    }
}

/// A cell that does not hold what its column must hold.
struct BadCell: Error, Hashable, Sendable, CustomStringConvertible {
    var table: String
    /// What identifies the row: `id = 3`.
    var row: String
    var column: String
    var value: String
    var wanted: String

    var description: String { "table \(table), row \(row), column \(column): \(value) is not \(wanted)" }

    /// A value in short, without anything that a terminal would obey.
    static func text(of value: DatabaseValue) -> String {
        switch value.storage {
        case .null: return "NULL"
        case .int64(let number): return String(number)
        case .double(let number): return String(number)
        case .blob(let data): return "a blob of \(data.count) bytes"
        case .string(let text):
            let shown = String(text.prefix(40)).unicodeScalars.map { String($0).isPrintable ? String($0) : "?" }
                .joined()
            return "'\(shown)'" + (text.utf8.count > 160 ? "… (\(text.utf8.count) bytes)" : "")
        }
    }
}

// MARK: - Numbers and texts

extension Int64: StoredValue {
    static var wanted: String { "a whole number" }
    init?(stored value: DatabaseValue) {
        guard case .int64(let number) = value.storage else { return nil }
        self = number
    }
}

extension Int: StoredValue {
    /// Numbers that can be counted on from, and that JSON's readers keep.
    static let storable = -(1 << 53)...(1 << 53)
    static var wanted: String { "a whole number between −2⁵³ and 2⁵³" }
    init?(stored value: DatabaseValue) {
        guard case .int64(let number) = value.storage, Self.storable.contains(Int(number)) else { return nil }
        self = Int(number)
    }
}

extension Double: StoredValue {
    static var wanted: String { "a number" }
    init?(stored value: DatabaseValue) {
        switch value.storage {
        case .double(let number): self = number
        case .int64(let number): self = Double(number)
        default: return nil
        }
    }
}

extension Bool: StoredValue {
    static var wanted: String { "0 or 1" }
    init?(stored value: DatabaseValue) {
        guard case .int64(let number) = value.storage, number == 0 || number == 1 else { return nil }
        self = number == 1
    }
}

extension String: StoredValue {
    static var wanted: String { "a text" }
    init?(stored value: DatabaseValue) {
        guard case .string(let text) = value.storage else { return nil }
        self = text
    }
}

extension Optional: StoredValue where Wrapped: StoredValue {
    static var wanted: String { Wrapped.wanted }
    init?(stored value: DatabaseValue) {
        if value.isNull {
            self = nil
            return
        }
        guard let inner = Wrapped(stored: value) else { return nil }
        self = inner
    }
}

// MARK: - Values that a run is found and written by

/// A moment that a calendar can show: from the year 1 to the year 9999.
struct Instant: StoredValue, Hashable, Sendable {
    /// Seconds since 1970.
    static let seconds = -62_135_596_800.0...253_402_300_799.0
    static var wanted: String { "a time between the years 1 and 9999, in seconds since 1970" }
    let date: Date

    init?(stored value: DatabaseValue) {
        guard let seconds = Double(stored: value), Self.seconds.contains(seconds) else { return nil }
        date = Date(timeIntervalSince1970: seconds)
    }
}

/// The short id of a run, which is a part of its folder's name: 4 to 32 small letters and digits.
public struct RunShortID: Hashable, Sendable, CustomStringConvertible {
    /// As it is written in the folder's name and on the command line.
    public let text: String

    public init?(_ text: String) {
        let isPlain = { (byte: UInt8) in (48...57).contains(byte) || (97...122).contains(byte) }
        guard (4...32).contains(text.utf8.count), text.utf8.allSatisfy(isPlain) else { return nil }
        self.text = text
    }

    public var description: String { text }
}

extension RunShortID: StoredValue {
    static var wanted: String { "a short id of 4 to 32 small letters and digits" }
    init?(stored value: DatabaseValue) {
        guard let text = String(stored: value) else { return nil }
        self.init(text)
    }
}

extension RelativePath: StoredValue {
    static var wanted: String { "a path below the store's folder" }
    init?(stored value: DatabaseValue) {
        guard let text = String(stored: value) else { return nil }
        self.init(text)
    }
}

extension StoreID: StoredValue {
    static var wanted: String { "a row number" }
    init?(stored value: DatabaseValue) {
        guard let number = Int64(stored: value) else { return nil }
        self.init(number)
    }
}

/// A word out of a few.
protocol StoredWord: StoredValue, RawRepresentable<String>, CaseIterable {}

extension StoredWord {
    static var wanted: String { "one of " + allCases.map(\.rawValue).joined(separator: ", ") }
    init?(stored value: DatabaseValue) {
        guard let text = String(stored: value) else { return nil }
        self.init(rawValue: text)
    }
}

extension RunStatus: StoredWord {}
extension Run.Origin: StoredWord {}
extension CheckpointRecord.Kind: StoredWord {}
extension ReportedFigure.Mark: StoredWord {}
extension GateFinding.Severity: StoredWord {}
