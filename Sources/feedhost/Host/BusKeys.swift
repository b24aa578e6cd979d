import Foundation
import Logging
import MarketBus
import MarketData
import Operations

/// The keys of the bus, as the settings name them.
enum BusKeys {
    /// Nil when no keys are asked for.
    /// - Throws: ``StartError`` with what is wrong and how to mend it.
    static func curve(_ settings: Settings.Bus) throws -> BusCurve? {
        guard let path = settings.certificate else {
            guard settings.clients == nil else {
                throw StartError(
                    "bus.curve.clients names who may connect to the bus, and bus.curve.certificate is not set. Make a key with `feedhost bus keygen host` and name its host.key_secret there."
                )
            }
            return nil
        }
        guard let clients = settings.clients else {
            throw StartError(
                "bus.curve.certificate is set, and bus.curve.clients is not. Name the folder with the public keys (*.key) of those who may connect to the bus."
            )
        }
        let code = FileTrouble.examine(clients)
        guard code == EISDIR else {
            if code == EACCES {
                throw StartError("bus.curve.clients: \(clients) \(FileTrouble.reading(clients, code)).")
            }
            throw StartError("bus.curve.clients: \(clients) is not a folder. Make it; it may be empty.")
        }
        return BusCurve(certificate: try certificate(path), clients: clients)
    }

    private static func certificate(_ path: String) throws -> CurveCertificate {
        let code = FileTrouble.examine(path)
        guard code == 0 else { throw StartError("bus.curve.certificate: \(path) \(FileTrouble.reading(path, code)).") }
        guard let facts = try? FileManager.default.attributesOfItem(atPath: path),
            let text = try? String(contentsOfFile: path, encoding: .utf8)
        else { throw StartError("bus.curve.certificate: \(path) cannot be read.") }
        let mode = (facts[.posixPermissions] as? NSNumber)?.uint16Value ?? 0
        guard mode & 0o077 == 0 else {
            throw StartError(
                "bus.curve.certificate: other users of this machine can read \(path). Take that from them: chmod 600 \(path)"
            )
        }
        do {
            let certificate = try CurveCertificate(text: text)
            guard certificate.secretKey != nil else {
                throw StartError(
                    "bus.curve.certificate: \(path) holds a public key alone. Name the file that ends in .key_secret.")
            }
            return certificate
        } catch let error as BusCurveError {
            throw StartError("bus.curve.certificate: \(path) is no certificate of a key: \(error).")
        }
    }

    /// Has the log tell what happens with keys.
    static func say(_ events: inout BusEvents, _ logger: Logger) {
        events.refused = { count, latest in
            logger.warning("the bus has refused \(count) connection\(count == 1 ? "" : "s"), the latest: \(latest)")
        }
        events.curveClients = { logger.info("\($0) keys may connect to the bus now") }
        events.curveTrouble = { logger.warning("keys of the bus: \($0)") }
    }
}
