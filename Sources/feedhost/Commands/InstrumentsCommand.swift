import ArgumentParser
import Foundation
import Instruments

/// `feedhost instruments …`
struct InstrumentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "instruments", abstract: "The brokers' instrument masters: which symbols there are.",
        discussion:
            "They are kept in instruments.sqlite beside the account store. A running host takes new ones up at once.",
        subcommands: [Sync.self, Import.self, Search.self, List.self])

    static let forceHelp = ArgumentHelp(
        "Take what can be read of files that are cut short, not understood or of another segment, and a master with far fewer instruments than before."
    )
}
