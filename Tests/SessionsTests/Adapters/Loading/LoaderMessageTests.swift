import Testing

@testable import Adapters

@Suite struct LoaderMessageTests {
    @Test(arguments: [
        ("/p/a.so: undefined symbol: lost_function", "needs the symbol lost_function,"),
        ("/p/a.so: undefined symbol: f, version LIB_1.0", "needs the symbol f,"),
        ("libgone.so.1: cannot open shared object file: No such file or directory", "needs the library libgone.so.1,"),
        ("/lib/libc.so.6: version `GLIBC_2.99' not found (required by /p/a.so)", "needs GLIBC_2.99 of /lib/libc.so.6"),
        ("/p/a.so: file too short", "cannot be loaded: file too short"),
        ("", "gives no reason"),
    ])
    func theLoadersMessagesBecomeSentences(message: String, part: String) {
        let reason = LoaderMessage.refusal(message, path: "/p/a.so").reason
        #expect(reason.contains(part), "\(reason)")
    }

    @Test func onlyTheLineWithTheTokenCounts() {
        let facts = PluginFacts(abi: ABIVersion(major: 1, minor: 0), brokers: [])
        let wrong = ProbeMessage(token: "other", facts: facts, refusal: nil).line()
        let right = ProbeMessage(token: "token", facts: facts, refusal: nil).line()
        let noise = ProbeMessage.ready + Array("{\"token\": \n{}\n".utf8) + wrong
        #expect(ProbeMessage.find(in: noise, token: "token") == nil)
        #expect(ProbeMessage.find(in: noise + right, token: "token")?.facts == facts)
        #expect(ProbeMessage.find(in: noise + right.dropLast(), token: "token") == nil)
    }
}
