import AdapterKit
import AdapterTestKit
import CFeedhostABI
import Testing

/// The broker's error frames, which the official Python client throws away.
@Suite struct AngelErrorTests {
    @Test func tellsTheWishesOfARefusedFrame() throws {
        let host = try openAngel()
        host.subscribe([host.share("11", FH_MODE_LTP), host.share("12", FH_MODE_LTP), host.share("13", FH_MODE_QUOTE)])
        host.refuse(host.correlation(0))
        #expect(host.results.map(\.outcome) == [UInt32(FH_SUB_REJECTED), UInt32(FH_SUB_REJECTED)])
        #expect(host.results[0].status == .limit)
        #expect(
            host.results[0].message
                == "Invalid Request. Subscription Limit Exceeded. (E1002); a connection takes 1000 pairs of token and mode, and 50 tokens with 20 levels"
        )
        // Whatever the broker has taken of it is taken back.
        #expect(host.requests.dropFirst(2) == [request(0, 1, (1, ["11", "12"]))])
        host.advance(by: .seconds(1))
        #expect(host.results.map(\.outcome).last == UInt32(FH_SUB_SENT_NO_ACK))
        #expect(host.results.count == 3)
        host.deliver(WireRecord().packet(1, token: "11"))
        host.deliver(WireRecord().packet(2, token: "13"))
        #expect(host.tickCount == 1)
        // A later wish is sent anew.
        host.settled([host.share("11", FH_MODE_LTP)])
        #expect(host.requests.last == request(1, 1, (1, ["11"])))
    }

    @Test func goesBackToTheOldModeWhenTheNewOneIsRefused() throws {
        let host = try openAngel()
        host.settled([host.share("11", FH_MODE_LTP)])
        host.subscribe([host.share("11", FH_MODE_DEPTH, depth: 20)])
        host.refuse(host.correlation(1), "E1001")
        #expect(host.results.last?.outcome == UInt32(FH_SUB_REJECTED))
        #expect(host.results.last?.status == .invalid)
        // Sent: mode 3, mode 4, no more mode 1. Taken back: both, and mode 1 again.
        #expect(
            host.requests.dropFirst() == [
                request(1, 3, (1, ["11"])), request(1, 4, (1, ["11"])), request(0, 1, (1, ["11"])),
                request(0, 3, (1, ["11"])), request(0, 4, (1, ["11"])), request(1, 1, (1, ["11"])),
            ])
        host.refuse(host.correlation(2), "E1001")
        #expect(host.results.count == 2)
        host.deliver(WireRecord().packet(1, token: "11"))
        #expect(host.tickCount == 1)
    }

    @Test func findsTheOnlyFrameWithoutANumber() throws {
        let host = try openAngel()
        host.subscribe([host.share("11", FH_MODE_LTP)])
        host.deliver(#"{"errorCode":"E1001","errorMessage":"Invalid Request Payload."}"#)
        #expect(host.results.map(\.outcome) == [UInt32(FH_SUB_REJECTED)])
        #expect(host.results[0].message == "Invalid Request Payload. (E1001)")
    }

    @Test func logsWhatItCannotAssign() throws {
        let host = try openAngel()
        host.subscribe([host.share("11", FH_MODE_LTP), host.share("12", FH_MODE_QUOTE)])
        host.deliver(#"{"errorCode":"E1001","errorMessage":"Invalid Request Payload."}"#)
        host.refuse("other00001")
        host.advance(by: .seconds(1))
        host.refuse(host.correlation(0))
        #expect(host.results.allSatisfy { $0.outcome == UInt32(FH_SUB_SENT_NO_ACK) } && host.results.count == 2)
        #expect(host.log.count == 3)
        #expect(host.requests.count == 2)
        #expect(host.connections.last?.state == UInt32(FH_CONN_READY))
    }

    @Test(arguments: ["", "{}", "[]", "hello", #"{"correlationID":"x"}"#, #"{"errorCode":"E1"#, "null", "\u{0}"])
    func countsTextThatIsNoError(text: String) throws {
        let host = try openAngel()
        host.deliver(text)
        #expect(host.metric(FH_M_FRAMES_BAD) == 1)
        #expect(host.log.count == 1)
    }

    static let undecodable: [(WirePacket, String)] = {
        var list: [(WirePacket, String)] = []
        for mode in [0, 5, 255] as [UInt8] {
            var packet = WireRecord().packet(1, token: "11")
            packet.bytes[0] = mode
            list.append((packet, "mode"))
        }
        var short = WireRecord().packet(3, token: "11")
        short.bytes.removeLast()
        list.append((short, "size"))
        var long = WireRecord().packet(2, token: "11")
        long.bytes.append(0)
        list.append((long, "size"))
        for token in ["", "1a", "-1", "01", " 11", "12345678901234567", "1234567890123456789012345"] {
            list.append((WireRecord().packet(1, token: token), "token"))
        }
        var empty = short
        empty.bytes = []
        list.append((empty, "mode"))
        return list
    }()

    @Test func countsPacketsThatItCannotDecode() throws {
        for (packet, why) in Self.undecodable {
            let host = try openAngel()
            host.settled([host.share("11", FH_MODE_LTP)])
            host.deliver(packet)
            #expect(host.metric(FH_M_FRAMES_BAD) == 1 && host.tickCount == 0, "\(packet.bytes)")
            #expect(host.log.count == 1 && host.log[0].contains(why), "\(host.log)")
        }
    }

    /// The token ends at its first NUL; what lies behind it means nothing.
    @Test func readsTheTokenUpToItsEnd() throws {
        let host = try openAngel()
        host.settled([host.share("11", FH_MODE_LTP)])
        var packet = WireRecord().packet(1, token: "11")
        for place in 5..<27 { packet.bytes[place] = 0x41 }
        host.deliver(packet)
        #expect(host.tickCount == 1)
    }
}
