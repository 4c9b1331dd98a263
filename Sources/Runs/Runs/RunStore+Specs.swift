import Foundation
import GRDB

extension RunStore {
    /// Every path of a resolved spec in the store; a choice such as `backbone` stands for its name.
    public func settingPaths() throws(StoreError) -> [String] {
        try read { db in
            let paths = try String.fetchAll(db, sql: "SELECT path FROM parameterPath ORDER BY path")
            return paths + paths.filter { $0.hasSuffix(".name") }.map { String($0.dropLast(".name".count)) }
        }
    }
}
