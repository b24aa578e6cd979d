import NIOCore

/// Clients that have the same streams: what they get is gathered once and sent to each.
///
/// Most installations have a handful of sets (a strategy's symbols, a watch list) and many clients; then a message costs one
/// copy a set and not one a client. A client with a set of its own is a cohort of one. Confined to its loop.
///
/// More may be gathered while the members are served one after the other: those whose turn is still to come get it with the
/// rest, those who had theirs get it in the next round. So a message waits for one round at most and not for the end of one
/// and then for another.
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

    /// A place between two frames of all that a cohort has ever gathered.
    struct Place {
        var frames = 0
        var bytes = 0
    }

    /// What some member has still to get; nil when there is nothing.
    private(set) var batch: FrameBuffer?
    /// Where the batch begins.
    private var start = Place()
    /// The stream of each frame in the batch.
    private var gathered: ContiguousArray<Unmanaged<Stream>> = []
    /// Where in the batch each frame ends, for members that want them one by one.
    private var ends: ContiguousArray<Int> = []
    /// Seats by stream; made when a stream is taken out of a large set, and kept for the next ones.
    private var places: [ObjectIdentifier: Int]?
    var isIndexed: Bool { places != nil }

    init(wire: Wire) { self.wire = wire }

    // MARK: Members

    func add(_ member: Outbox) {
        member.cohort = self
        member.place = members.count
        // What is gathered already has come to it another way: it was on these streams before.
        member.got = end
        members.append(member)
    }

    /// - Parameter isMoving: It moves to another cohort, and first gets what it has still to get here.
    func remove(_ member: Outbox, isMoving: Bool = true) {
        guard member.cohort === self else { return }
        if isMoving { catchUp(member) }
        members.swapAt(member.place, members.count - 1)
        members[member.place].place = member.place
        members.removeLast()
        member.cohort = nil
    }

    // MARK: The set

    func insert(_ stream: Stream) {
        places?[ObjectIdentifier(stream)] = seats.count
        stream.followers.append(Stream.Follower(cohort: self, seat: seats.count))
        seats.append(Seat(stream: stream, place: stream.followers.count - 1))
        fingerprint += stream.mark
    }

    func remove(_ stream: Stream) {
        guard let seat = seat(of: stream) else { return }
        places?[ObjectIdentifier(stream)] = nil
        release(seats[seat])
        fingerprint -= stream.mark
        seats.swapAt(seat, seats.count - 1)
        seats.removeLast()
        guard seat < seats.count else { return }
        let moved = seats[seat]
        moved.stream.followers[moved.place].seat = seat
        places?[ObjectIdentifier(moved.stream)] = seat
    }

    /// Takes the cohort off all its streams: it gets nothing any more.
    func dissolve() {
        for seat in seats { release(seat) }
        seats = []
        places = nil
        fingerprint = Fingerprint()
    }

    func forgetPlaces() { places = nil }

    /// Looked at one by one up to this number; beyond it a dictionary of all seats pays.
    private static let few = 64

    private func seat(of stream: Stream) -> Int? {
        if let places { return places[ObjectIdentifier(stream)] }
        if stream.followers.count <= Self.few { return stream.followers.first { $0.cohort === self }?.seat }
        if seats.count <= Self.few { return seats.firstIndex { $0.stream === stream } }
        places = Dictionary(uniqueKeysWithValues: seats.enumerated().map { (ObjectIdentifier($1.stream), $0) })
        return places?[ObjectIdentifier(stream)]
    }

    private func release(_ seat: Seat) {
        let stream = seat.stream
        let last = stream.followers.count - 1
        if seat.place < last {
            let moved = stream.followers[last]
            stream.followers[seat.place] = moved
            moved.cohort.seats[moved.seat].place = seat.place
        }
        stream.followers.removeLast()
    }

    // MARK: A batch

    /// Where the next frame will be.
    private var end: Place { Place(frames: start.frames + gathered.count, bytes: start.bytes + (batch?.count ?? 0)) }

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

    /// Sends what was gathered to every member. Calls no client back: none can leave meanwhile.
    /// - Parameter served: After each member; it may gather more.
    func deliver(_ served: () -> Void = {}) {
        guard batch != nil else { return }
        // Who comes first knows least of what is gathered meanwhile.
        let known = end
        for member in members {
            catchUp(member)
            served()
        }
        forget(before: members.isEmpty ? end : known)
    }

    /// Sends a member what it has still to get.
    func catchUp(_ member: Outbox) {
        let end = end
        guard let batch, member.got.frames < end.frames else { return }
        let first = Place(frames: member.got.frames - start.frames, bytes: member.got.bytes - start.bytes)
        member.deliver(batch.bytes, gathered, from: first, ends: wire.coalesces ? nil : ends)
        member.got = end
    }

    /// Takes out what everybody has got.
    private func forget(before place: Place) {
        guard let batch else { return }
        let frames = place.frames - start.frames
        let bytes = place.bytes - start.bytes
        start = place
        if frames == gathered.count {
            batch.clear()
            gathered.removeAll(keepingCapacity: true)
            ends.removeAll(keepingCapacity: true)
        } else {
            batch.removeFirst(bytes)
            gathered.removeFirst(frames)
            guard !wire.coalesces else { return }
            ends.removeFirst(frames)
            for index in ends.indices { ends[index] -= bytes }
        }
    }

    /// - Returns: The memory of the batch, for somebody else; nil while a member has still to get something.
    func takeMemory() -> FrameBuffer? {
        guard gathered.isEmpty else { return nil }
        defer { batch = nil }
        return batch
    }
}
