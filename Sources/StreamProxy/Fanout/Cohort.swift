import NIOCore

/// Clients that have the same streams: what they get is gathered once and sent to each.
///
/// Most installations have a handful of sets (a strategy's symbols, a watch list) and many clients; then a message costs one
/// copy a set and not one a client. A client with a set of its own is a cohort of one. Confined to its loop.
final class Cohort {
    /// A stream of the set, and where this cohort is in the stream's list.
    struct Seat {
        let stream: Stream
        var place: Int
    }

    /// How frames are sent to its members.
    struct Wire: Hashable {
        /// With permessage-deflate.
        let deflates: Bool
        /// Several frames a write.
        let coalesces: Bool
    }

    let wire: Wire
    private(set) var members: ContiguousArray<Outbox> = []
    private(set) var seats: ContiguousArray<Seat> = []
    private(set) var fingerprint = Fingerprint()
    /// In the table of cohorts by their sets; not while its set changes.
    var isSettled = false

    /// What the running batch has brought; nil outside of one.
    private(set) var batch: FrameBuffer?
    /// The stream of each frame in the batch.
    private var gathered: ContiguousArray<Unmanaged<Stream>> = []
    /// Where each frame ends, for members that want them one by one.
    private var ends: ContiguousArray<Int> = []
    /// Seats by stream; made when a stream is taken out of the set.
    private var places: [ObjectIdentifier: Int]?

    init(wire: Wire) { self.wire = wire }

    // MARK: Members

    func add(_ member: Outbox) {
        member.cohort = self
        member.place = members.count
        members.append(member)
    }

    func remove(_ member: Outbox) {
        guard member.cohort === self else { return }
        members.swapAt(member.place, members.count - 1)
        members[member.place].place = member.place
        members.removeLast()
        member.cohort = nil
    }

    // MARK: The set

    func insert(_ stream: Stream) {
        places?[ObjectIdentifier(stream)] = seats.count
        stream.listeners.append(Stream.Listener(cohort: self, seat: seats.count))
        seats.append(Seat(stream: stream, place: stream.listeners.count - 1))
        fingerprint += stream.mark
    }

    func remove(_ stream: Stream) {
        if places == nil {
            places = [:]
            places?.reserveCapacity(seats.count)
            for (seat, each) in seats.enumerated() { places?[ObjectIdentifier(each.stream)] = seat }
        }
        guard let seat = places?.removeValue(forKey: ObjectIdentifier(stream)) else { return }
        release(seats[seat])
        fingerprint -= stream.mark
        seats.swapAt(seat, seats.count - 1)
        seats.removeLast()
        guard seat < seats.count else { return }
        let moved = seats[seat]
        moved.stream.listeners[moved.place].seat = seat
        places?[ObjectIdentifier(moved.stream)] = seat
    }

    /// Takes the cohort off all its streams: it gets nothing any more.
    func dissolve() {
        for seat in seats { release(seat) }
        seats = []
        places = nil
        fingerprint = Fingerprint()
    }

    /// The set will not change for a while: what only changes need is given back.
    func settle() {
        isSettled = true
        places = nil
    }

    private func release(_ seat: Seat) {
        let stream = seat.stream
        let last = stream.listeners.count - 1
        if seat.place < last {
            let moved = stream.listeners[last]
            stream.listeners[seat.place] = moved
            moved.cohort.seats[moved.seat].place = seat.place
        }
        stream.listeners.removeLast()
    }

    // MARK: A batch

    /// Takes the newest frame of a stream.
    /// - Returns: The bytes that wait now.
    @inline(__always)
    func gather(_ stream: Stream, into batch: FrameBuffer) -> Int {
        if wire.deflates {
            stream.withDeflatedFrame { batch.append($0) }
        } else {
            batch.append(stream.frame.bytes)
        }
        gathered.append(.passUnretained(stream))
        if !wire.coalesces { ends.append(batch.count) }
        return batch.count
    }

    func begin(_ batch: FrameBuffer) { self.batch = batch }

    /// Sends what was gathered to every member. Calls nobody back: a client cannot leave meanwhile.
    func deliver() {
        guard let batch, !gathered.isEmpty else { return }
        for member in members { member.deliver(batch.bytes, gathered, ends: wire.coalesces ? nil : ends) }
        batch.clear()
        gathered.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }

    /// - Returns: The memory of the batch, for somebody else.
    func end() -> FrameBuffer? {
        deliver()
        defer { batch = nil }
        return batch
    }
}
