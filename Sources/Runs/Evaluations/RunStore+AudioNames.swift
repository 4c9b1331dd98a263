import GRDB

extension RunStore {
    /// Gives audio its standard name wherever the store has the name that an earlier version gave it: in the keys of
    /// runs, in test sets, and in the identities of evaluations. One transaction; where there is nothing to rename, the
    /// store is only read.
    ///
    /// Where both names are there, as in a store into which runs of an earlier version were imported, the row of the
    /// earlier name stays as it is.
    ///
    /// - Parameter names: Standard names by earlier ones, of audio that was read and found to have both.
    public func adoptStandardNames(ofAudio names: [String: String]) throws(StoreError) {
        let known = try read { db in try names.filter { try Self.has($0.key, db) } }
        guard !known.isEmpty else { return }
        try write { db in
            for (earlier, standard) in known.sorted(by: { $0.key < $1.key }) {
                for statement in Self.renaming {
                    try db.execute(sql: statement, arguments: ["old": earlier, "new": standard])
                }
            }
        }
    }

    private static let renaming = [
        "UPDATE OR IGNORE run SET dataFingerprint = :new WHERE dataFingerprint = :old",
        "UPDATE OR IGNORE testSet SET fingerprint = :new WHERE fingerprint = :old",
        """
        UPDATE OR IGNORE evaluation SET identity = replace(identity, '|' || :old, '|' || :new)
        WHERE instr(identity, '|' || :old) > 0
        """,
    ]

    private static func has(_ name: String, _ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db,
            sql: """
                SELECT EXISTS (SELECT 1 FROM testSet WHERE fingerprint = :name)
                OR EXISTS (SELECT 1 FROM run WHERE dataFingerprint = :name)
                OR EXISTS (SELECT 1 FROM evaluation WHERE instr(identity, '|' || :name) > 0)
                """, arguments: ["name": name]) ?? false
    }
}

extension String {
    /// The digits of an audio's name, without the scheme before them: those of `sha256-pcm-v1:…`, or all of an earlier
    /// name.
    package var audioDigits: Substring { self[(lastIndex(of: ":").map(index(after:)) ?? startIndex)...] }
}
