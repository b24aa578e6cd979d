import CFeedhostABI
import MarketData
import TestSupport
import Testing

@testable import Sessions

/// What the broker says to wishes.
@Suite struct AnswerTests {
    @Test func mixedAnswersInOneRequest() async throws {
        try await SessionFixture.run { fixture, session in
            fixture.broker.change {
                $0.subscribes = [
                    { instance, request, wishes in
                        for wish in wishes {
                            switch wish.name {
                            case "NSE:ACKED": instance.accept(request, [wish])
                            case "NSE:SENT":
                                instance.serve([wish])
                                instance.answer(request, wish.handle, FH_SUB_SENT_NO_ACK, mode: 4, depth: 20)
                            case "NSE:FEWER":
                                instance.serve([wish])
                                instance.answer(request, wish.handle, FH_SUB_DOWNGRADED, mode: 4, depth: 5)
                            case "NSE:LOWER":
                                instance.serve([wish])
                                instance.answer(request, wish.handle, FH_SUB_DOWNGRADED, mode: 2)
                            case "NSE:SAID": instance.reject(request, [wish], message: "not in your plan")
                            case "NSE:UNKNOWN":
                                instance.reject(request, [wish], status: Int(FH_E_UNKNOWN_INSTRUMENT))
                            default: instance.reject(request, [wish])
                            }
                        }
                        return Int(FH_OK)
                    }
                ]
            }
            let names = ["ACKED", "SENT", "FEWER", "LOWER", "SAID", "UNKNOWN", "MUTE"]
            let results = await session.grants(names.map { Wish($0, .depth, depth: 20) })
            let grants = results.map { try? $0.get() }
            #expect(grants.map { $0?.depth } == [20, 20, 5, nil, nil, nil, nil])
            #expect(grants.map { $0?.route.depth } == [20, 20, 5, nil, nil, nil, nil])
            #expect(grants.allSatisfy { $0?.pending != true })
            #expect(refusal(results[3])?.message == "scripted grants NSE:LOWER in a lower mode than Depth only")
            #expect(refusal(results[4]) == FeedError(.subscription, "not in your plan"))
            #expect(refusal(results[5])?.code == .symbolNotFound)
            #expect(refusal(results[5])?.message == "Symbol UNKNOWN not found for exchange NSE")
            #expect(refusal(results[6])?.message == "scripted has refused NSE:MUTE: a limit is reached")
            #expect(
                await session.referenced == ["NSE:ACKED/Depth/20", "NSE:FEWER/Depth/5", "NSE:SENT/Depth/20"])
            #expect(await session.wanted == session.referenced)
            // What the broker serves in a lower mode is no use to anybody and was ended.
            #expect(
                fixture.broker.instance?.served.values.map(\.name).sorted() == ["NSE:ACKED", "NSE:FEWER", "NSE:SENT"])
            let fewer = try #require(grants[2])
            await session.unsubscribe([fewer.route])
            #expect(fixture.broker.instance?.served.count == 2)
        }
    }

    @Test func answersInPartsAndOutOfOrder() async throws {
        try await SessionFixture.run { fixture, session in
            fixture.broker.change { $0.subscribe = { _, _, _ in Int(FH_OK) } }
            async let results = session.grants([Wish("A"), Wish("B"), Wish("C")])
            try await fixture.broker.calls.waitFor("subscribe") { $0.isSubscribe }
            let instance = try #require(fixture.broker.instance)
            guard case .subscribe(_, let request, let wishes) = fixture.broker.calls.entries.last else {
                Issue.record("no subscribe")
                return
            }
            instance.accept(request, [wishes[2]])
            await session.settleDown()
            // Of another request, of a stranger, twice: nothing of it counts.
            instance.reject(request + 1, [wishes[0]])
            instance.answer(request, 99, FH_SUB_ACKED)
            instance.reject(request, [wishes[2]])
            instance.accept(request, [wishes[0]])
            instance.answer(request, wishes[1].handle, 77, message: "an outcome of tomorrow")
            let answers = await results
            #expect(answers.map { refusal($0)?.message } == [nil, "an outcome of tomorrow", nil])
            #expect(await session.referenced == ["NSE:A/LTP/0", "NSE:C/LTP/0"])
        }
    }

    @Test func whatIsNeverAnsweredTimesOutAndIsEnded() async throws {
        var declared = Declared()
        declared.ackTimeout = 60
        try await SessionFixture.run(declared) { fixture, session in
            fixture.broker.change {
                $0.subscribes = [
                    { instance, _, wishes in
                        instance.serve(wishes)
                        return Int(FH_OK)
                    }
                ]
            }
            let result = await session.grants([Wish("INFY")])[0]
            #expect(refusal(result)?.message == "scripted has not confirmed NSE:INFY within 60 ms")
            // The broker may have taken it all the same.
            try await fixture.broker.calls.waitFor("unsubscribe") { $0.isUnsubscribe }
            #expect(fixture.broker.instance?.served.isEmpty == true)
            #expect(await session.wanted.isEmpty)
            try await session.subscribe("INFY")
        }
    }

    /// Some brokers take longer than clients wait: what they have confirmed by then is told, and the rest comes later.
    @Test func whatIsNotConfirmedInTimeIsPending() async throws {
        var declared = Declared()
        declared.ackTimeout = 60_000
        try await SessionFixture.run(declared) { fixture, session in
            fixture.broker.change {
                $0.subscribes = [
                    { instance, request, wishes in
                        instance.accept(request, wishes.filter { $0.name == "NSE:A" })
                        instance.reject(request, wishes.filter { $0.name == "NSE:C" }, message: "no such scrip")
                        return Int(FH_OK)
                    }
                ]
            }
            let wishes = ["B", "A", "C", "D"].map { Wish($0) }
            let results = await session.subscribe(wishes, within: .milliseconds(200)).map(\.result)
            #expect(results.map { try? $0.get().pending } == [true, false, nil, true])
            #expect(refusal(results[2])?.message == "no such scrip")
            #expect(await session.referenced == ["NSE:A/LTP/0", "NSE:B/LTP/0", "NSE:D/LTP/0"])
            #expect(await session.waiterCount == 0)
            // The answer comes after all, and whoever asks now has it at once.
            guard case .subscribe(_, let request, let seen) = fixture.broker.calls.entries.last else { return }
            fixture.broker.instance?.accept(request, seen.filter { $0.name == "NSE:B" })
            let isPending = try await session.subscribe("B").pending
            #expect(!isPending && fixture.sent.count == 1)
        }
    }

    @Test func anUpgradeThatIsNotAnsweredIsTakenBack() async throws {
        var declared = Declared()
        declared.ackTimeout = 60
        try await SessionFixture.run(declared) { fixture, session in
            try await session.subscribe("INFY", .ltp)
            fixture.broker.change { $0.subscribes = [{ _, _, _ in Int(FH_OK) }] }
            await #expect(throws: FeedError.self) { try await session.subscribe("INFY", .depth) }
            await session.settleDown()
            #expect(fixture.sent == [["NSE:INFY/LTP/0"], ["NSE:INFY/Depth/5"], ["NSE:INFY/LTP/0"]])
            #expect(await session.wanted == ["NSE:INFY/LTP/0"])
        }
    }

    @Test func aRefusedUpgradeLeavesWhatWasServed() async throws {
        try await SessionFixture.run { fixture, session in
            let ltp = try await session.subscribe("INFY", .ltp)
            fixture.broker.change {
                $0.subscribes = [
                    { instance, request, wishes in
                        instance.reject(request, wishes, message: "no books")
                        return Int(FH_OK)
                    }
                ]
            }
            let refused = await session.grants([Wish("INFY", .depth)])[0]
            #expect(refusal(refused)?.message == "no books")
            let again = try await session.subscribe("INFY", .ltp).route
            #expect(again == ltp.route)
            #expect(await session.referenced == ["NSE:INFY/LTP/0"])
            #expect(await session.wanted == ["NSE:INFY/LTP/0"])
        }
    }

    @Test func aNegativeStatusAnswersTheWholeCall() async throws {
        try await SessionFixture.run { fixture, session in
            fixture.broker.change { $0.subscribes = [{ _, _, _ in Int(FH_E_LIMIT) }] }
            let results = await session.grants([Wish("A"), Wish("B")])
            #expect(
                results.map { refusal($0)?.message } == [
                    "scripted: a limit is reached", "scripted: a limit is reached",
                ])
            #expect(await session.wanted.isEmpty)
            #expect(fixture.broker.calls.count(\.isUnsubscribe) == 0)
            try await session.subscribe("A")
        }
    }

    @Test func twoClientsAtOnceAreRefusedBoth() async throws {
        try await SessionFixture.run { fixture, session in
            fixture.broker.change { $0.subscribe = { _, _, _ in Int(FH_OK) } }
            async let first = session.grants([Wish("INFY")])
            async let second = session.grants([Wish("INFY")])
            try await fixture.broker.calls.waitFor("subscribe") { $0.isSubscribe }
            try await eventually("waiters") { await session.waiterCount >= 2 }
            guard case .subscribe(_, let request, let wishes) = fixture.broker.calls.entries.last else { return }
            fixture.broker.instance?.reject(request, wishes, message: "no such symbol")
            #expect(refusal(await first[0])?.message == "no such symbol")
            #expect(refusal(await second[0])?.message == "no such symbol")
            #expect(fixture.sent.count == 1)
            #expect(await session.references.instruments.isEmpty)
            #expect(await session.wanted.isEmpty)
        }
    }

    @Test func whoWantsLessThanWhatIsRefusedGetsIt() async throws {
        try await SessionFixture.run { fixture, session in
            fixture.broker.change {
                $0.subscribes = [{ _, _, _ in Int(FH_OK) }, { _, _, _ in Int(FH_OK) }]
            }
            async let less = session.grants([Wish("INFY", .ltp)])
            try await fixture.broker.calls.waitFor("the first") { $0.isSubscribe }
            try await eventually("waiters") { await session.waiterCount >= 1 }
            async let more = session.grants([Wish("INFY", .depth)])
            try await eventually("waiters") { await session.waiterCount >= 2 }
            guard case .subscribe(_, let request, let wishes) = fixture.broker.calls.entries.last else { return }
            fixture.broker.instance?.reject(request, wishes, message: "no books")
            #expect(refusal(await more[0])?.message == "no books")
            let granted = try await less[0].get()
            #expect(granted.route.mode == .ltp && !granted.pending)
            #expect(fixture.sent == [["NSE:INFY/LTP/0"], ["NSE:INFY/Depth/5"], ["NSE:INFY/LTP/0"]])
        }
    }

    @Test func whoAsksAgainAfterARefusalIsAskedAgain() async throws {
        try await SessionFixture.run { fixture, session in
            fixture.broker.change {
                $0.subscribes = [
                    { instance, request, wishes in
                        instance.reject(request, wishes)
                        return Int(FH_OK)
                    }
                ]
            }
            await #expect(throws: FeedError.self) { try await session.subscribe("INFY") }
            let isPending = try await session.subscribe("INFY").pending
            #expect(!isPending)
            #expect(fixture.sent.count == 2)
        }
    }

    @Test func whatLeavesInFlightIsEndedAtTheBroker() async throws {
        try await SessionFixture.run { fixture, session in
            fixture.broker.change { $0.subscribe = { _, _, _ in Int(FH_OK) } }
            let key = RouteKey(session: session.id, instrument: try fixture.handle("INFY"), mode: .ltp)
            async let result = session.grants([Wish("INFY")])
            try await fixture.broker.calls.waitFor("subscribe") { $0.isSubscribe }
            await session.unsubscribe([key])
            #expect(refusal(await result[0])?.message == "unsubscribed before the broker had answered")
            #expect(fixture.broker.calls.entries.last?.isUnsubscribe == true)
            guard case .subscribe(_, let request, let wishes) = fixture.broker.calls.entries.first(where: \.isSubscribe)
            else { return }
            fixture.broker.instance?.accept(request, wishes)
            await session.settleDown()
            #expect(await session.wanted.isEmpty)
        }
    }
}
