import Adapters
import ArgumentParser
import Foundation
import Instruments
import MarketData
import Operations

extension InstrumentsCommand {
    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes a master from files that were downloaded before, packed or not.",
            discussion: """
                Files are told apart by the broker's names for them; if none is named so, they are taken in the broker's order. \
                What they hold takes the place of all instruments of that broker.
                """)
        @Argument(help: "The broker.") var broker: String
        @Argument(help: "The files.") var files: [String]
        @Option(help: ArgumentHelp("The broker's name for the file, when only one is given.", valueName: "name"))
        var fileName: String?
        @Flag(help: InstrumentsCommand.forceHelp) var force = false
        @OptionGroup var options: AdapterOptions

        func validate() throws {
            guard fileName == nil || files.count == 1 else {
                throw ValidationError("--file-name is for one file; rename the others as the broker calls them.")
            }
        }

        func run() async throws {
            let settings = try Settings.load(options.input)
            let masters = try await BrokerMasters.load(settings)
            if let notice = StorePart.instruments.notice(settings) { Output.note(notice) }
            let source = try masters.offers.master(broker.lowercased())
            let numbers = try MasterFileNames(source.files, broker: source.broker).match(files, named: fileName)
            let contents = try zip(files, numbers).map { path, number in
                MasterSync.LocalFile(
                    file: number, name: URL(fileURLWithPath: path).lastPathComponent, bytes: try Self.read(path))
            }
            let store = try MasterStore(path: MasterStore.path(beside: settings.store))
            let progress = SyncProgress(broker: source.broker)
            defer {
                progress.end()
                store.close()
            }
            let begun = ContinuousClock.now
            let record = try await MasterSync(store: store, insist: force).importing(contents, of: source) {
                progress.show($0)
            }
            progress.end()
            try Output.line(InstrumentTexts.summary(record, seconds: ContinuousClock.now - begun))
            try InstrumentTexts.details(record).forEach { try Output.line($0) }
            let missing = source.files.indices.filter { !numbers.contains($0) }.map { source.files[$0] }
            if !missing.isEmpty {
                Output.note(
                    "Not given, so their instruments are not there: \(missing.joined(separator: ", ")). Import all files at once."
                )
            }
        }

        private static func read(_ path: String) throws -> [UInt8] {
            let code = FileTrouble.examine(path)
            guard code == 0 else { throw StartError("\(path) \(FileTrouble.reading(path, code)).") }
            do {
                let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
                defer { try? handle.close() }
                // As much as a download may bring.
                let limit = 512 << 20
                let data = try handle.read(upToCount: limit + 1) ?? Data()
                guard data.count <= limit else {
                    throw StartError("\(path) is larger than 512 MiB: that is no master.")
                }
                return Array(data)
            } catch let error as StartError {
                throw error
            } catch {
                throw StartError("\(path) cannot be read: \(error.localizedDescription)")
            }
        }
    }
}

/// Which of a broker's files the given ones are.
struct MasterFileNames {
    private let names: [String]
    private let broker: String

    init(_ names: [String], broker: String) {
        self.names = names
        self.broker = broker
    }

    /// Indices into the broker's files, in the order of `files`.
    func match(_ files: [String], named given: String? = nil) throws -> [Int] {
        if let given {
            guard let number = number(of: given) else { throw unknown(given) }
            return [number]
        }
        guard files.count <= names.count else {
            throw StartError("\(files.count) files are given, and \(broker) has \(names.count): \(list).")
        }
        let found = files.map { number(of: URL(fileURLWithPath: $0).lastPathComponent) }
        // None by name: then by order.
        if found.allSatisfy({ $0 == nil }) { return Array(files.indices) }
        if let lost = found.firstIndex(of: nil) { throw unknown(files[lost]) }
        let numbers = found.compactMap { $0 }
        guard Set(numbers).count == numbers.count else {
            throw StartError("Two of the files are the same one to \(broker): rename them. It has \(list).")
        }
        return numbers
    }

    private func number(of name: String) -> Int? {
        names.firstIndex { Self.bare($0) == Self.bare(name) }
    }

    /// Without what packing adds, and in small letters: browsers unpack some downloads by themselves.
    private static func bare(_ name: String) -> String {
        var name = name.lowercased()
        for ending in [".zip", ".gz"] where name.hasSuffix(ending) { name.removeLast(ending.count) }
        return name
    }

    private func unknown(_ name: String) -> StartError {
        StartError(
            "\(name) is none of the files of \(broker): \(list). Rename it, or say which it is with --file-name.")
    }

    private var list: String { names.joined(separator: ", ") }
}
