import Foundation
import Runs
import TestFolders
import Testing

/// A disk that is full, or may not be written.
@Suite struct FullDiskTests {
    /// A limit on the size of any file stands for a full disk; it is met at another point with each size: while the
    /// store is opened, steps are recorded, checkpoints written.
    @Test func aFullDiskEndsWith5AndTheRunContinuesAfterwards() throws {
        let whole = try TestFolder()
        let wholeSpec = try whole.spec(tinySpec)
        #expect(try Program.run("run", wholeSpec, "--no-table", in: whole.path).code == 0)
        let expected = try Program.run("compare", "--format", "csv", in: whole.path).out
        let scratch = try TestFolder()
        let spec = try scratch.spec(tinySpec)
        var met: Set<String> = []
        for limit in [
            512, 4096, 10_240, 16_384, 17_408, 20_480, 40_960, 81_920, 122_880, 163_840, 204_800, 245_760, 300_032,
            400_384,
        ] {
            let end = try Program(["run", spec, "--no-table"], in: scratch.path, fileSizeLimit: limit).wait()
            guard end.code != 0 else { break }
            #expect(end.code == 5, "limit \(limit): \(end.error)")
            #expect(
                end.error.contains("error:") || end.error.contains("cannot be written"), "limit \(limit): \(end.error)")
            let path = end.error.split(whereSeparator: \.isWhitespace).last { $0.hasPrefix("/") } ?? ""
            let isPrepared = end.error.contains("corpus synthetic")
            met.insert("\(path.split(separator: "/").last ?? "") \(isPrepared ? "after" : "before") the corpus")
            if FileManager.default.fileExists(atPath: scratch.store) {
                let store = try RunStore(at: scratch.store)
                #expect(try store.integrityProblems().isEmpty)
                #expect(try store.runs().allSatisfy { $0.status != .failed && $0.status != .running })
                try store.close()
            }
        }
        #expect(met.count >= 3, "\(met)")
        let end = try Program.run("run", spec, "--no-table", in: scratch.path)
        #expect(end.code == 0, "\(end.error)")
        #expect(try Program.run("compare", "--format", "csv", in: scratch.path).out == expected)
        for name in whole.files("step-6.safetensors") { #expect(whole.data(name) == scratch.data(name)) }
        let left = scratch.files("").filter { $0.contains(".sgmse-part-") }
        #expect(left.isEmpty, "\(left)")
    }

    @Test func aFolderThatCannotBeWrittenEndsWith5() throws {
        let scratch = try TestFolder()
        let spec = try scratch.spec(tinySpec)
        let end = try Program(["run", spec, "--store", "/proc/sgmse/store.sqlite"], in: scratch.path).wait()
        #expect(end.code == 5 && end.error.contains("--store"), "\(end.error)")
    }
}
