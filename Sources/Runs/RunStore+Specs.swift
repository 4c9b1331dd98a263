import Foundation
import GRDB

extension RunStore {
    /// The runs of a spec, of a sweep's file above all: those whose spec was read from a file of that path or name
    /// (`quickstart` for `experiments/quickstart.yaml`), in the order in which they were made.
    public func runs(ofSpec name: String) throws(StoreError) -> [Run.ID] {
        try read { db in
            let rows = try Row.fetchAll(db, sql: "SELECT runID, file FROM spec WHERE file IS NOT NULL ORDER BY runID")
            return try rows.map { Cells($0, of: "spec") }.filter { cells in
                let file: String = try cells[1]
                let last = (file as NSString).lastPathComponent
                return [file, last, (last as NSString).deletingPathExtension].contains(name)
            }.map { try $0[0] }
        }
    }

    /// Every path of a resolved spec in the store; a choice such as `backbone` stands for its name.
    public func settingPaths() throws(StoreError) -> [String] {
        try read { db in
            let paths = try String.fetchAll(db, sql: "SELECT path FROM parameterPath ORDER BY path")
            return paths + paths.filter { $0.hasSuffix(".name") }.map { String($0.dropLast(".name".count)) }
        }
    }
}
