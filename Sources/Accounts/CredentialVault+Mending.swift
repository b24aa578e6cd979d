import GRDB

/// What the first version of the store left.
extension CredentialVault {
    /// Encrypts what is plain text, and takes what was from the free pages of the file and from its log. Where that cannot be
    /// done the store is as good as before, and it is tried again at the next start.
    /// - Returns: sentences for the log.
    func mend(_ queue: DatabaseQueue) throws -> [String] {
        var notices: [String] = []
        if case .file(let file) = key.kind {
            notices += [file.tighten()].compactMap(\.self)
            if let id = try queue.read(Self.keyInUse) { try? file.settle(id: id) }
        }
        do {
            let count = try queue.write { db in
                let rows = try Self.rows(db, "plain IS NOT NULL")
                guard !rows.isEmpty else { return 0 }
                let cipher = try self.cipher(writing: db)
                for row in rows { try Self.put(try self.open(row, cipher), row, cipher, db) }
                return rows.count
            }
            if count > 0 {
                notices.append(
                    "The \(count) credentials in \(path) were plain text; they are encrypted now, with the key of \(key.name). Keep a copy of the key, away from copies of the store."
                )
            }
        } catch let error as AccountStoreError {
            return notices + ["The credentials in \(path) are still plain text. \(error)"]
        }
        guard try queue.read({ try Bool.fetchOne($0, sql: "SELECT scrubbed FROM encryption") }) == false else {
            return notices
        }
        do {
            try queue.writeWithoutTransaction { db in
                // The next start will do as well, so nobody waits long for a reader.
                try db.execute(sql: "PRAGMA busy_timeout = 200")
                defer { try? db.execute(sql: "PRAGMA busy_timeout = 5000") }
                try db.execute(sql: "VACUUM")
                _ = try db.checkpoint(.truncate)
                try db.execute(sql: "UPDATE encryption SET scrubbed = 1")
                _ = try? db.checkpoint(.truncate)
            }
        } catch {
            let error = AccountStoreError.translating(error, path: path)
            notices.append(
                "Plain credentials may still be in free parts of the file. This is mended at the next start. \(error)")
        }
        return notices
    }
}
