import Foundation
import TestFolders
import WeightFiles

/// The path of a file under `Fixtures`.
func fixture(_ name: String) -> String {
    Bundle.module.resourceURL!.appendingPathComponent("Fixtures").appendingPathComponent(name).path
}

func fixtureBytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: fixture(name))))
}

/// Calls `body` with a path in a folder of its own, which is removed afterwards.
func withTemporaryFile<Result>(
    _ name: String, _ bytes: [UInt8]? = nil, _ body: (String) throws -> Result
) throws -> Result {
    let folder = try TestFolder()
    let file = try folder.file(name)
    if let bytes { try Data(bytes).write(to: URL(fileURLWithPath: file)) }
    return try withExtendedLifetime(folder) { try body(file) }
}

/// The reason with which `body` fails, or nil where it does not.
func failure(_ body: () throws -> Void) -> WeightFileError.Reason? {
    do { try body() } catch { return (error as? WeightFileError)?.reason }
    return nil
}
