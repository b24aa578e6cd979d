import NIOCore
import NIOHTTP1

// The simulator's own HTTP paths, beside the broker's: `/_sim/…`.
extension Simulation {
    private static let prefix = "/_sim/"

    private struct Refusal: Encodable {
        var error: String
    }

    /// The answer to any plain request.
    func answer(_ request: PlainRequest) -> PlainAnswer {
        guard request.path.hasPrefix(Self.prefix) else {
            return venue.answer(request) ?? .text(.notFound, "There is nothing at \(request.path).\n")
        }
        let name = String(request.path.dropFirst(Self.prefix.count))
        switch (request.method, name) {
        case (.GET, "state"): return .json(.ok, state)
        case (.GET, "instruments"):
            let table = InstrumentTable.json(
                market, exchange: request.query["exchange"], key: request.query["key"], named: venue.key(of:))
            return PlainAnswer(.ok, headers: [("Content-Type", "application/json")], body: table)
        case (.POST, _):
            do throws(SimulatorError) {
                let fault = try Fault(name, body: String(buffer: request.body))
                return .json(.ok, try perform(fault))
            } catch {
                return .json(.badRequest, Refusal(error: error.description))
            }
        default:
            return .json(
                .notFound,
                Refusal(error: "There are GET /_sim/state, GET /_sim/instruments and POST /_sim/<fault>."))
        }
    }
}
