import Accounts
import ArgumentParser
import Foundation

/// What a command on the store has to say.
struct StoreReply: Sendable, Equatable {
    /// Standard output: what scripts read.
    var output = ""
    /// Standard error: what people read beside it.
    var note = ""
}

/// A command that works on the account store. Conforming types are short: they name their arguments and what to do.
protocol StoreCommand: AsyncParsableCommand {
    associatedtype Options: SettingsOptions
    var options: Options { get }
    /// Told when the host does not look at it.
    static var part: StorePart { get }
    /// True for the commands that begin a store; for the others a missing file is an error, since its name may be mistyped.
    static var makesStore: Bool { get }
    /// Before the store is opened: what the settings and the adapters say to the arguments.
    func check(_ settings: Settings) throws
    func perform(in store: AccountStore) async throws -> StoreReply
    /// The same for commands that read more than their arguments and have the settings judge it.
    func perform(in store: AccountStore, _ settings: Settings) async throws -> StoreReply
}

extension StoreCommand {
    static var makesStore: Bool { false }

    func check(_ settings: Settings) throws {}

    func perform(in store: AccountStore, _ settings: Settings) async throws -> StoreReply {
        try await perform(in: store)
    }

    func run() async throws {
        let settings = try Settings.load(options.input)
        try check(settings)
        if let notice = Self.part.notice(settings) { Output.note(notice) }
        let store = try settings.accountStore(create: Self.makesStore)
        for notice in store.notices + settings.notices { Output.note(notice) }
        let reply = try await perform(in: store, settings)
        // The last connection to close leaves one file behind instead of three.
        try? store.close()
        if !reply.note.isEmpty { Output.note(reply.note) }
        if !reply.output.isEmpty { try Output.line(reply.output) }
    }
}

/// Rows in columns for a terminal.
enum TextTable {
    static func lines(_ header: [String], _ rows: [[String]]) -> String {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            let padded = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            // Nothing after the last column: copied lines should not end in spaces.
            return (padded.dropLast() + row.suffix(1)).joined(separator: "  ")
        }.joined(separator: "\n")
    }

    /// Seconds since 1970 as `2026-01-31T09:15:00Z`.
    static func time(_ seconds: Int64) -> String {
        Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601)
    }
}
