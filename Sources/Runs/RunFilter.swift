import GRDB
struct SQLCondition { var sql: String; var arguments: StatementArguments = [] }
public struct RunFilter: Sendable { func condition(_ db: Database) throws -> SQLCondition { SQLCondition(sql: "1") } }
