import BrokerSimulator

/// The line on standard output that says that clients may come.
struct ReadyLine: Encodable {
    let port: Int
    let endpoints: Endpoints

    private enum CodingKeys: String, CodingKey {
        case port
    }

    func encode(to encoder: any Encoder) throws {
        try endpoints.encode(to: encoder)
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(port, forKey: .port)
    }
}
