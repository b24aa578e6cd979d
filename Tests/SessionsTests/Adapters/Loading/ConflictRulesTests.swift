import Testing

@testable import Adapters

@Suite struct ConflictRulesTests {
    private typealias Claim = ConflictRules.Claim

    private func claim(_ broker: String, _ folder: String, _ file: String, _ rank: Int) -> Claim {
        Claim(broker: broker, folder: folder, file: file, rank: rank)
    }

    private func state(_ verdict: ConflictRules.Verdict?) -> PluginState? {
        switch verdict {
        case .serves: .loaded
        case .not(let state, _): state
        case nil: nil
        }
    }

    private func reason(_ verdict: ConflictRules.Verdict?) -> String {
        if case .not(_, let reason) = verdict { reason } else { "" }
    }

    /// A plugin of accounts alone has a name for its settings, which is no broker's.
    @Test func pluginsWithoutABroker() {
        let alone = Claim(broker: "door", folder: "/one", file: "door.so", rank: 0, servesBroker: false)
        let rules = ConflictRules(allowed: ["zerodha"], pins: [:])
        #expect(rules.resolve([alone])[alone] == .serves, "the list of valid brokers does not concern it")
        let broker = Claim(broker: "door", folder: "/one", file: "broker.so", rank: 0)
        let both = ConflictRules(allowed: nil, pins: [:]).resolve([alone, broker])
        #expect(state(both[alone]) == .refused && reason(both[alone]).contains("broker.so"))
        #expect(state(both[broker]) == .refused)
        let reserved = Claim(broker: "external", folder: "/one", file: "e.so", rank: 0, servesBroker: false)
        #expect(state(rules.resolve([reserved])[reserved]) == .refused)
    }

    @Test func anEarlierFolderShadowsALaterOne() {
        let (a, b) = (claim("x", "/one", "x.so", 0), claim("x", "/two", "x.so", 1))
        let verdicts = ConflictRules(allowed: nil, pins: [:]).resolve([b, a])
        #expect(verdicts[a] == .serves)
        #expect(state(verdicts[b]) == .shadowed)
        #expect(reason(verdicts[b]).contains("/one/x.so"))
    }

    @Test func twoInOneFolderAreBothRefusedAndNamed() {
        let (a, b) = (claim("x", "/one", "a.so", 0), claim("x", "/one", "b.so", 0))
        let later = claim("x", "/two", "c.so", 1)
        let verdicts = ConflictRules(allowed: nil, pins: [:]).resolve([a, b, later])
        #expect(state(verdicts[a]) == .refused)
        #expect(reason(verdicts[a]).contains("b.so"))
        #expect(state(verdicts[b]) == .refused)
        #expect(reason(verdicts[b]).contains("a.so"))
        #expect(state(verdicts[later]) == .shadowed)
    }

    @Test func aPinDecides() {
        let (a, b) = (claim("x", "/one", "a.so", 0), claim("x", "/one", "b.so", 0))
        let verdicts = ConflictRules(allowed: nil, pins: ["x": "b.so"]).resolve([a, b])
        #expect(state(verdicts[a]) == .shadowed)
        #expect(verdicts[b] == .serves)
        let useless = ConflictRules(allowed: nil, pins: ["x": "c.so"]).resolve([a, b])
        #expect(state(useless[a]) == .refused)
    }

    @Test func oneFileMayCarrySeveralBrokers() {
        let (x, y) = (claim("x", "/one", "both.so", 0), claim("y", "/one", "both.so", 0))
        let other = claim("y", "/one", "y.so", 0)
        let verdicts = ConflictRules(allowed: nil, pins: [:]).resolve([x, y, other])
        #expect(verdicts[x] == .serves)
        #expect(state(verdicts[y]) == .refused)
        #expect(state(verdicts[other]) == .refused)
    }

    @Test func reservedAndDisabledBrokers() {
        let (own, off) = (claim("external", "/one", "e.so", 0), claim("x", "/one", "x.so", 0))
        let verdicts = ConflictRules(allowed: ["y"], pins: [:]).resolve([own, off])
        #expect(state(verdicts[own]) == .refused)
        #expect(state(verdicts[off]) == .disabled)
    }

    @Test func whatServesGoesOnServing() {
        let (a, b) = (claim("x", "/one", "a.so", 0), claim("x", "/one", "b.so", 0))
        let verdicts = ConflictRules(allowed: nil, pins: [:]).resolve([a, b], serving: ["x": "/one/b.so"])
        #expect(state(verdicts[a]) == .shadowed)
        #expect(verdicts[b] == .serves)
    }

    @Test func fileNamesOfABroker() {
        #expect(AdapterRegistry.fileNames("zerodha") == ["zerodha.so", "libzerodha.so", "libZerodha.so"])
    }
}
