import Foundation
import MarketData
import Secrets
import TestSupport
import Testing

@testable import Accounts

struct MasterKeyTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private static let hex = String(repeating: "0f", count: 32)

    private func code(_ body: () throws -> Void) -> AccountStoreError.Code? {
        do { try body() } catch { return (error as? AccountStoreError)?.code }
        return nil
    }

    @Test(arguments: [
        hex, hex.uppercased(), "  \(hex)\r\n", Data(repeating: 15, count: 32).base64EncodedString() + "\n",
    ])
    func spellingsOfOneKey(_ text: String) {
        #expect(MasterKey(text: Array(text.utf8))?.id == MasterKey(text: Array(Self.hex.utf8))?.id)
    }

    @Test(arguments: [
        "", " ", "0f", hex + "0", hex.dropLast() + "g", String(repeating: "0f", count: 31), "\(hex) \(hex)",
        Data(repeating: 15, count: 31).base64EncodedString(), Data(repeating: 15, count: 33).base64EncodedString(),
    ])
    func whatIsNoKey(_ text: String) throws {
        #expect(MasterKey(text: Array(text.utf8)) == nil)
        try folder.write("bad.key", text)
        #expect(code { _ = try MasterKeyFile(path: folder.file("bad.key")).current() } == .unreadableKey)
        let source = MasterKeySource.text(Secret(text), origin: "FEEDHOST_MASTER_KEY")
        do {
            _ = try source.firstKey()
            Issue.record("nothing was thrown")
        } catch {
            #expect("\(error)".contains("FEEDHOST_MASTER_KEY"))
            #expect(text.count < 8 || !"\(error)".contains(text), "the text may be nearly the key")
        }
    }

    @Test func fileIsMadeOnceAndPrivate() throws {
        let file = MasterKeyFile(path: folder.file("store.db.key"))
        let key = try file.keyOrNew()
        #expect(try folder.mode("store.db.key") == 0o600)
        #expect(try file.keyOrNew().id == key.id)
        #expect(try !file.create(MasterKey()))
        #expect(try file.current().id == key.id)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["store.db.key"])
        #expect(MasterKey().id != key.id)
    }

    @Test func madeByManyAtOnceIsOneKey() async throws {
        let path = folder.file("race.key")
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<20 { group.addTask { try MasterKeyFile(path: path).keyOrNew().id } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
    }

    @Test func folderThatIsNotThere() {
        #expect(code { _ = try MasterKeyFile(path: folder.file("no/such/key")).keyOrNew() } == .unwritable)
        #expect(code { _ = try MasterKeyFile(path: folder.path).current() } == .unreadableKey)
    }

    @Test func widerFileIsTightenedAndThatIsSaid() throws {
        let file = MasterKeyFile(path: folder.file("wide.key"))
        try file.create(MasterKey())
        #expect(file.tighten() == nil)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
        #expect(file.tighten()?.contains("0644") == true)
        #expect(try folder.mode("wide.key") == 0o600)
    }
}

struct CredentialCipherTests {
    private let cipher = CredentialCipher(key: MasterKey())
    private let place = CredentialCipher.Place(owner: 1, broker: "zerodha", name: "token")

    @Test(arguments: ["", "t", "जोशी 🔑", String(repeating: "x", count: 100_000)])
    func opensWhatItSealed(_ text: String) throws {
        let first = try cipher.seal(Secret(text), place)
        let second = try cipher.seal(Secret(text), place)
        #expect(cipher.open(first, place) == Secret(text))
        #expect(first != second, "every value has a nonce of its own")
        #expect(CredentialCipher(key: MasterKey()).open(first, place) == nil)
    }

    @Test func everyByteCounts() throws {
        let sealed = try cipher.seal(Secret("hunter2"), place)
        for index in sealed.indices {
            for bit in 0..<8 {
                var changed = sealed
                changed[index] ^= 1 << UInt8(bit)
                #expect(cipher.open(changed, place) == nil, "byte \(index), bit \(bit)")
            }
        }
        for length in 0..<sealed.count { #expect(cipher.open(sealed.prefix(length), place) == nil) }
        #expect(cipher.open(sealed + [0], place) == nil)
    }

    @Test(arguments: [
        CredentialCipher.Place(owner: 2, broker: "zerodha", name: "token"),
        .init(owner: 1, broker: "angel", name: "token"),
        .init(owner: 1, broker: "zerodha", name: "pin"), .init(owner: 1, broker: "zerodhat", name: "oken"),
    ])
    func opensInItsPlaceOnly(_ other: CredentialCipher.Place) throws {
        #expect(cipher.open(try cipher.seal(Secret("hunter2"), place), other) == nil)
    }
}
