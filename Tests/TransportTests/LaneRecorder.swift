import Adapters
import CFeedhostABI
import NIOCore

@testable import Transport

/// An adapter instance that writes down what it is told. Its address is the `fh_instance`.
final class LaneRecorder {
    enum Event: Equatable, Sendable {
        case opened(fh_id, user: UInt64, http: Int32)
        case frame(fh_id, user: UInt64, opcode: UInt32, text: String)
        case closed(fh_id, code: UInt32, http: Int32?)
        case fetched(fh_id, status: fh_status, http: Int32, body: String)
        case timer(fh_id, user: UInt64)
    }

    private(set) var events: [Event] = []
    /// Called after each event was written down, from inside the adapter's function.
    var reaction: ((Event) -> Void)?

    var pointer: OpaquePointer { OpaquePointer(Unmanaged.passUnretained(self).toOpaque()) }

    private func note(_ event: Event) {
        events.append(event)
        reaction?(event)
    }

    private static func of(_ pointer: OpaquePointer?) -> LaneRecorder? {
        pointer.map { Unmanaged<LaneRecorder>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
    }

    private static func text(_ str: fh_str) -> String {
        String(decoding: UnsafeRawBufferPointer(start: str.ptr, count: Int(str.len)), as: UTF8.self)
    }

    static func table(size: Int = MemoryLayout<fh_transport_events>.size) -> fh_transport_events {
        fh_transport_events(
            size: UInt32(size), reserved: 0,
            on_open: { instance, id, user, response in
                LaneRecorder.of(instance)?.note(.opened(id, user: user, http: response?.pointee.http_status ?? 0))
            },
            on_frame: { instance, id, user, opcode, bytes, _ in
                LaneRecorder.of(instance)?.note(
                    .frame(id, user: user, opcode: opcode, text: LaneRecorder.text(bytes)))
            },
            on_closed: { instance, id, _, code, response in
                LaneRecorder.of(instance)?.note(.closed(id, code: code, http: response?.pointee.http_status))
            },
            on_fetched: { instance, id, _, response in
                guard let response = response?.pointee else { return }
                LaneRecorder.of(instance)?.note(
                    .fetched(
                        id, status: response.status, http: response.http_status, body: LaneRecorder.text(response.body))
                )
            },
            on_timer: { instance, id, user, _ in LaneRecorder.of(instance)?.note(.timer(id, user: user)) })
    }
}

/// A lane with its recorder and its context, on an event loop.
final class LaneFixture {
    final class Context: TransportContext, @unchecked Sendable {
        // Touched on the lane's event loop alone.
        var calls: [String] = []
        var depth = 0
        var deepest = 0
        var troubles: [String] = []

        override func willCall(_ name: StaticString) {
            calls.append("\(name)")
            depth += 1
            deepest = max(deepest, depth)
        }
        override func didCall(_ name: StaticString) { depth -= 1 }
        override func transportTrouble(_ message: String) { troubles.append(message) }
    }

    let lane: TransportLane
    let context = Context()
    let recorder = LaneRecorder()

    init(_ loop: any EventLoop, eventsSize: Int = MemoryLayout<fh_transport_events>.size) {
        lane = TransportLane(loop: loop, context: context)
        context.lane = lane
        var table = LaneRecorder.table(size: eventsSize)
        lane.attach(instance: recorder.pointer, events: &table)
    }

    var pointer: OpaquePointer { OpaquePointer(Unmanaged.passUnretained(context).toOpaque()) }

    func timer(user: UInt64 = 0, delay: UInt32, interval: UInt32 = 0) -> (fh_status, fh_id) {
        var id: fh_id = 0
        let status = TransportLane.table.pointee.timer(pointer, user, delay, interval, &id)
        return (status, id)
    }

    func cancel(_ id: fh_id) { TransportLane.table.pointee.cancel(pointer, id) }

    func open(_ url: String, user: UInt64 = 0) -> (fh_status, fh_id) {
        start(url, user, TransportLane.table.pointee.open)
    }

    func fetch(_ url: String, user: UInt64 = 0) -> (fh_status, fh_id) {
        start(url, user, TransportLane.table.pointee.fetch)
    }

    func send(_ id: fh_id, _ text: String) -> fh_status {
        Self.lend(text) { TransportLane.table.pointee.send(pointer, id, UInt32(FH_WS_TEXT), $0) }
    }

    private func start(
        _ url: String, _ user: UInt64,
        _ function: (OpaquePointer?, UnsafePointer<fh_request>?, UnsafeMutablePointer<fh_id>?) -> fh_status
    ) -> (fh_status, fh_id) {
        Self.lend(url) { url in
            var request = fh_request()
            request.size = UInt32(MemoryLayout<fh_request>.size)
            request.method = UInt32(FH_HTTP_GET)
            request.user = user
            request.url = url
            var id: fh_id = 0
            let status = function(pointer, &request, &id)
            return (status, id)
        }
    }

    private static func lend<R>(_ text: String, _ body: (fh_str) -> R) -> R {
        Array(text.utf8).withUnsafeBytes {
            body(fh_str(ptr: $0.baseAddress?.assumingMemoryBound(to: CChar.self), len: UInt64($0.count)))
        }
    }
}
