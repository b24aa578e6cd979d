/// What names may look like: they end up in topics, paths, tables and log lines.
enum AccountNames {
    static func check(user name: String) throws {
        guard isVisible(name), (1...64).contains(name.count), name.utf8.count <= 256 else {
            throw AccountStoreError(
                .invalidValue,
                "\(shown(name)) cannot be a user's name: 1 to 64 visible characters without spaces are allowed.")
        }
    }

    static func check(label: String) throws {
        let words = label.split(separator: " ", omittingEmptySubsequences: false)
        guard words.allSatisfy({ !$0.isEmpty && isVisible($0) }), (1...64).contains(label.count),
            label.utf8.count <= 256
        else {
            throw AccountStoreError(
                .invalidValue,
                "\(shown(label)) cannot be a key's label: 1 to 64 visible characters are allowed, and single spaces between them."
            )
        }
    }

    static func check(broker: String) throws {
        guard isKey(broker), broker.utf8.count <= 64 else {
            throw AccountStoreError(
                .invalidValue,
                "\(shown(broker)) cannot be a broker: lowercase letters, digits and _ are allowed, as in \"zerodha\".")
        }
    }

    static func check(credential name: String) throws {
        guard isKey(name), name.utf8.count <= 64 else {
            throw AccountStoreError(
                .invalidValue,
                "\(shown(name)) cannot be a credential's name: lowercase letters, digits and _ are allowed, as in \"api_key\"."
            )
        }
    }

    /// Letters of any language are welcome; separators, controls and characters without a shape are not.
    private static func isVisible(_ text: some StringProtocol) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator,
                .paragraphSeparator:
                false
            default: true
            }
        }
    }

    private static func isKey(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
            }
    }

    /// Quoted, with escapes for what a terminal would obey, and not longer than a line.
    static func shown(_ text: String) -> String {
        let short = text.count > 80 ? String(text.prefix(77)) + "..." : text
        return short.debugDescription
    }
}
