import MarketData
import Secrets
import Testing

@Suite struct SecretTests {
    @Test func itIsNotPrinted() {
        struct Holder { let key = Secret("canary-1234") }
        var dumped = ""
        dump(Holder(), to: &dumped)
        let shown = ["\(Secret("canary-1234"))", String(reflecting: Holder()), "\(Holder())", dumped]
        for text in shown { #expect(!text.contains("canary"), "\(text)") }
    }

    @Test(arguments: ["", "a", "canary-1234", "ключ 🔑", String(repeating: "x", count: 100_000)])
    func itKeepsItsText(text: String) {
        let secret = Secret(text)
        #expect(secret.revealed == text)
        #expect(secret.isEmpty == text.isEmpty)
        #expect(secret.withBytes { Array($0) } == Array(text.utf8))
        #expect(secret == Secret(text))
        #expect(secret.hashValue == Secret(text).hashValue)
        #expect(secret != Secret(text + "x"))
        #expect(text.withCString { _ in Set([secret, Secret(text)]).count } == 1)
    }

    @Test func allCopiesShareTheirBytes() {
        let secret = Secret("canary-1234")
        let copy = secret
        let places = [secret, copy].map { $0.withBytes { UInt(bitPattern: $0.baseAddress) } }
        #expect(places[0] == places[1])
    }

    @Test func onlyUTF8IsAText() {
        func secret(_ bytes: [UInt8]) -> Secret? { bytes.withUnsafeBytes { Secret(utf8: $0) } }
        #expect(secret(Array("ключ 🔑\0".utf8)) == Secret("ключ 🔑\0"))
        #expect(secret([])?.isEmpty == true)
        for bytes in [[0xFF], [0x61, 0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0x80]] as [[UInt8]] {
            #expect(secret(bytes) == nil)
        }
    }

    @Test func wipingOverwrites() {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 1)
        defer { bytes.deallocate() }
        bytes.initializeMemory(as: UInt8.self, repeating: 0xAA)
        bytes.wipe()
        #expect(bytes.allSatisfy { $0 == 0 })
    }
}

@Suite struct RedactionTests {
    private let redaction = Redaction([
        Secret("tok/en+1234"), Secret("api:s3cret-part"), Secret("abc"), Secret("overlap-one"), Secret("one-overlap"),
        Secret("line\n\"quote\""),
    ])

    @Test(arguments: [
        ("GET /?t=tok/en+1234&x=1", "GET /?t=‹secret›&x=1"), ("t=tok%2Fen%2B1234", "t=‹secret›"),
        ("hex 746f6b2f656e2b31323334", "hex ‹secret›"), ("basic dG9rL2VuKzEyMzQ=", "basic ‹secret›="),
        ("t=tok%2fen%2b1234", "t=‹secret›"), ("hex 746F6B2F656E2B31323334", "hex ‹secret›"),
        ("url dG9rL2VuKzEyMzQ", "url ‹secret›"), ("tok\\/en+1234", "‹secret›"),
        ("overlap-one-overlap", "‹secret›"), ("overlap-one|one-overlap", "‹secret›|‹secret›"),
        ("{\"a\": \"line\\n\\\"quote\\\"\"}", "{\"a\": \"‹secret›\"}"),
        ("tok/en+1234tok/en+1234", "‹secret›‹secret›"), ("api:s3cret-part", "‹secret›"), ("s3cret-part", "‹secret›"),
        ("abc api stay", "abc api stay"), ("", ""), ("tok/en+123", "tok/en+123"),
    ])
    func secretsAreTakenOut(text: String, clean: String) { #expect(redaction.clean(text) == clean) }

    /// As in `Authorization: Basic`, where a name stands before it.
    @Test(arguments: [
        "PjpwPz4+Og==", "dXNlPjpwPz4+OnBhc3M=", "dXNlcj46cD8+PjpwYXNz", "dXNlcjE+OnA/Pj46cGFzcw==", "PjpwPz4-Og",
        "dXNlPjpwPz4-OnBhc3M", "dXNlcj46cD8-PjpwYXNz", "dXNlcjE-OnA_Pj46cGFzcw",
    ])
    func inTheMidstOfBase64(text: String) {
        let clean = Redaction([Secret(">:p?>>:")]).clean("Basic \(text).")
        #expect(clean.contains(Redaction.replacement), "\(clean)")
    }

    @Test func aTextIsCutBehindItsSecrets() {
        func clean(_ text: String, _ limit: Int) -> String {
            Array(text.utf8).withUnsafeBytes { redaction.clean($0, limit: limit) }
        }
        #expect(clean("say tok/en+1234 twice", 8) == "say ‹secret›")
        #expect(clean("say tok/en+1234 twice", 4) == "say ")
        #expect(clean("say tok/en+1234 twice", 15) == "say ‹secret›")
        #expect(clean("say tok/en+1234 twice", 17) == "say ‹secret› t")
        #expect(clean("tok/en+123", 100) == "tok/en+123")
        #expect(clean("", 10).isEmpty)
    }

    @Test func withoutSecretsNothingChanges() { #expect(Redaction().clean("tok/en+1234") == "tok/en+1234") }

    @Test func anyTextSurvives() {
        var random = SystemRandomNumberGenerator()
        let seed = random.next()
        var state = seed
        func next(_ limit: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % limit
        }
        for _ in 0..<2_000 {
            let secret = String((0..<(6 + next(10))).map { _ in Character(UnicodeScalar(UInt8(97 + next(3)))) })
            let around = String((0..<next(30)).map { _ in Character(UnicodeScalar(UInt8(97 + next(3)))) })
            let clean = Redaction([Secret(secret)]).clean(around + secret + around)
            #expect(!clean.contains(secret), "seed \(seed)")
        }
    }
}
