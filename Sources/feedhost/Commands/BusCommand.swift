import ArgumentParser
import Foundation
import MarketBus
import MarketData
import Operations

/// `feedhost bus …`
struct BusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bus", abstract: "The bus, which carries ticks to and from other programs.",
        subcommands: [Keygen.self])
}

extension BusCommand {
    struct Keygen: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a pair of keys for the bus: NAME.key, to be given away, and NAME.key_secret.",
            discussion: """
                The files are those of CZMQ and pyzmq (zmq.auth). The host is told of its own with \
                bus.curve.certificate, and of those who may connect by their NAME.key in the folder bus.curve.clients. \
                The public key is printed.
                """)
        @Argument(help: "Whose keys: the host's, or a publisher's or subscriber's. The name of the files.")
        var name: String
        @Option(help: ArgumentHelp("Where the files are made.", valueName: "dir")) var folder = "."
        @Option(help: "What the holder may do, publish or subscribe; without it both.") var role: String?

        func validate() throws {
            guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else {
                throw ValidationError("The name becomes a file's name: it must not hold / or begin with a dot.")
            }
            guard role.map({ CurveCertificate.Role(rawValue: $0) != nil }) ?? true else {
                throw ValidationError("A role is publish or subscribe.")
            }
        }

        func run() async throws {
            let certificate = try CurveCertificate.generate(role: role.flatMap { .init(rawValue: $0) })
            let path = "\(folder)/\(name).key"
            try Self.write(certificate.secretText, to: path + "_secret", mode: 0o600)
            try Self.write(certificate.publicText, to: path, mode: 0o644)
            try Output.line(certificate.publicKey)
        }

        /// Never over a file that is there: it may be the only copy of a key.
        private static func write(_ text: String, to path: String, mode: mode_t) throws {
            let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
            guard file >= 0 else {
                throw StartError("\(path) cannot be made: \(String(cString: strerror(errno))). No key was replaced.")
            }
            let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
            try handle.write(contentsOf: Data(text.utf8))
            try handle.close()
        }
    }
}
