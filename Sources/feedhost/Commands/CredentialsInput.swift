import Foundation
import MarketData
import Secrets

/// Credentials as they are given to the command line. No error repeats a value.
enum CredentialInput {
    private struct Wrong: Error, CustomStringConvertible { let description: String }

    static func pairs(_ arguments: [String]) throws -> [String: Secret] {
        var values: [String: Secret] = [:]
        for (index, argument) in arguments.enumerated() {
            guard let equals = argument.firstIndex(of: "="), equals > argument.startIndex else {
                // Without the argument itself: it may be the secret.
                throw Wrong(description: "Credential number \(index + 1) is not KEY=VALUE, as in api_key=…")
            }
            let name = String(argument[..<equals])
            guard values.updateValue(Secret(String(argument[argument.index(after: equals)...])), forKey: name) == nil
            else {
                throw Wrong(description: "The credential \(name.debugDescription) is given twice.")
            }
        }
        return values
    }

    static func json(_ bytes: Data) throws -> [String: Secret] {
        guard let values = try? JSONDecoder().decode([String: String].self, from: bytes), !values.isEmpty else {
            throw Wrong(description: "Standard input is not a JSON object of texts, as in {\"api_key\": \"…\"}.")
        }
        return values.mapValues { Secret($0) }
    }
}
