import CFeedhostABI
import MarketData
import Secrets

/// Why what a provider said is not used: a sentence about it, without anything of it that could be a secret.
struct AuthFault: Error, Sendable, Hashable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension Account {
    /// Size of the table in ABI 1.0.
    private static var firstSize: UInt32 { 104 }
    private static var mostTexts: UInt32 { 1000 }
    private static var longestPattern: UInt64 { 128 }

    /// Copies an account out of a provider's memory.
    init(_ pointer: UnsafePointer<fh_account>?) throws(AuthFault) {
        guard let pointer else { throw AuthFault("it gave no account") }
        guard pointer.pointee.size >= Self.firstSize else {
            throw AuthFault("its account has \(pointer.pointee.size) bytes; at least \(Self.firstSize) are wanted")
        }
        let raw = pointer.pointee
        guard let user = raw.user.userName else {
            throw AuthFault("its account has no user, or one that is not 1 to 64 visible characters without spaces")
        }
        guard let broker = raw.broker.brokerKey else {
            throw AuthFault("its account has no broker, or one that is not made of a-z, 0-9 and '_'")
        }
        guard let keyID = Int64(exactly: raw.key_id) else { throw AuthFault("its account's key_id is above INT64_MAX") }
        guard raw.modes & ~UInt32(FH_MODE_LTP | FH_MODE_QUOTE | FH_MODE_DEPTH) == 0 else {
            throw AuthFault("its account has the modes \(raw.modes); 1, 2 and 4, added up, are known")
        }
        let brokers = try Self.texts(raw.brokers, raw.broker_count, "brokers") { $0.brokerKey }
        var permissions = Permissions.everything
        if raw.allows & UInt32(FH_ALLOWS_ALL_EXCHANGES) == 0 {
            permissions.exchanges = Set(try Self.texts(raw.exchanges, raw.exchange_count, "exchanges") { $0.exchange })
        }
        if raw.allows & UInt32(FH_ALLOWS_ALL_SYMBOLS) == 0 {
            permissions.symbols = try Self.texts(raw.symbols, raw.symbol_count, "symbols") {
                $0.strictText(1...Self.longestPattern)
            }
        }
        permissions.modes = Set(Mode.allCases.filter { raw.modes & UInt32($0.abi) != 0 })
        permissions.orders = raw.allows & UInt32(FH_ALLOWS_ORDERS) != 0
        permissions.maxInstruments = raw.max_instruments == 0 ? nil : Int(raw.max_instruments)
        self.init(
            user: user, broker: broker, keyID: keyID, brokers: Set(brokers), permissions: permissions,
            expires: raw.expires_at == fh_ts_none() ? nil : Int64(raw.expires_at / 1_000_000))
    }

    private static func texts(
        _ list: UnsafePointer<fh_str>?, _ count: UInt32, _ what: String, _ read: (fh_str) -> String?
    ) throws(AuthFault) -> [String] {
        guard count > 0 else { return [] }
        guard let list, count <= mostTexts else {
            throw AuthFault("its account's list of \(what) claims \(count) texts; at most \(mostTexts) are allowed")
        }
        var texts: [String] = []
        for index in 0..<Int(count) {
            guard let text = read(list[index]) else {
                throw AuthFault("its account's list of \(what) holds one that is none")
            }
            texts.append(text)
        }
        return texts
    }
}

extension BrokerCredentials {
    private static var mostFields: UInt32 { 128 }
    /// Tokens of brokers have a few thousand bytes.
    private static var longestValue: UInt64 { 65_536 }

    /// Copies credentials out of a provider's memory.
    init(version: UInt64, _ fields: UnsafePointer<fh_field>?, _ count: UInt32) throws(AuthFault) {
        guard count <= Self.mostFields, fields != nil || count == 0 else {
            throw AuthFault("it gave \(count) credentials, and no list that holds them")
        }
        var values: [String: Secret] = [:]
        for index in 0..<Int(count) {
            guard let field = fields?[index], let name = field.name.brokerKey else {
                throw AuthFault("it gave a credential whose name is not made of a-z, 0-9 and '_'")
            }
            guard let value = field.value.strictText(0...Self.longestValue) else {
                throw AuthFault("it gave a \(name) that is no UTF-8 or longer than \(Self.longestValue) bytes")
            }
            guard values.updateValue(Secret(value), forKey: name) == nil else {
                throw AuthFault("it gave \(name) twice")
            }
        }
        self.init(version: version, values: values)
    }
}

extension fh_str {
    /// The text if it is UTF-8 of that many bytes and without control characters, else nil.
    func strictText(_ length: ClosedRange<UInt64>) -> String? {
        guard length.contains(len), ptr != nil || len == 0 else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self),
            text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else { return nil }
        return text
    }

    /// A user's name: it ends up in topics and log lines.
    var userName: String? {
        guard let text = strictText(1...256), text.count <= 64 else { return nil }
        let isVisible = text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator,
                .paragraphSeparator:
                false
            default: true
            }
        }
        return isVisible ? text : nil
    }

    /// A broker's key, or a credential's name.
    var brokerKey: String? {
        guard let text = strictText(1...64), text.utf8.allSatisfy(BorrowedText.isKeyByte) else { return nil }
        return text
    }

    fileprivate var exchange: String? {
        guard let text = strictText(1...32), text.utf8.allSatisfy(BorrowedText.isExchangeByte) else { return nil }
        return text
    }
}
