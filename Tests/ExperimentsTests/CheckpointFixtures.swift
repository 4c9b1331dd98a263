import Foundation
import TestFolders

/// A checkpoint of the tests: of this target, or of those for the file formats.
func checkpointFixture(_ name: String) -> String {
    let own = Bundle.module.bundlePath + "/Fixtures/checkpoint/" + name
    guard !FileManager.default.fileExists(atPath: own) else { return own }
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return tests.appendingPathComponent("WeightFilesTests/Fixtures/\(name)").path
}

/// Calls `body` with a folder of its own, which is removed afterwards.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = try TestFolder()
    return try withExtendedLifetime(folder) { try body(folder.path) }
}
