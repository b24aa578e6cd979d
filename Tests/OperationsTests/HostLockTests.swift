import Foundation
import TestSupport
import Testing

@testable import Operations

/// Files that one host holds: the lock of a store, and the ready file.
@Suite struct HostLockTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    @Test func oneHoldsTheStoreAndIsNamed() throws {
        let path = folder.path + "/feedhost.db.lock"
        #expect(HostLock.heldBy(path) == nil)
        let lock = try HostLock.take(path)
        #expect(HostLock.heldBy(path)?.process == getpid())
        let held = #expect(throws: HostLock.Held.self) { try HostLock.take(path) }
        #expect(held?.process == getpid())
        lock.release()
        lock.release()
        #expect(!FileManager.default.fileExists(atPath: path) && HostLock.heldBy(path) == nil)
        try HostLock.take(path).release()
    }

    @Test func aFileOfAnotherIsNotTakenAway() throws {
        let path = folder.path + "/feedhost.db.lock"
        let lock = try HostLock.take(path)
        unlink(path)
        try Data("another".utf8).write(to: URL(fileURLWithPath: path))
        lock.release()
        #expect(FileManager.default.contents(atPath: path) == Data("another".utf8))
    }

    @Test(arguments: ["/no/such/folder/lock", "/proc/lock"])
    func whereNoLockCanBe(path: String) {
        let error = #expect(throws: HostLock.Impossible.self) { try HostLock.take(path) }
        #expect(error?.description.hasPrefix(path + ": ") == true)
    }

    private let ready = ReadyFile(
        pid: 7, websocket: "ws://127.0.0.1:1", listeners: ["ws://127.0.0.1:1"], bus: "tcp://127.0.0.1:2",
        publisher: "tcp://127.0.0.1:3", brokers: ["simulator"])

    @Test func theReadyFileIsThereAsLongAsItsHost() throws {
        let path = folder.path + "/ready.json"
        let hold = try ReadyPlace.write(ready, to: path)
        #expect(
            FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
                == #"{"brokers":["simulator"],"bus":"tcp://127.0.0.1:2","listeners":["ws://127.0.0.1:1"],"pid":7,"publisher":"tcp://127.0.0.1:3","websocket":"ws://127.0.0.1:1"}"#
        )
        let error = #expect(throws: StartError.self) { try ReadyPlace.clear(path) }
        #expect(error?.description.contains("another host (process 7), which runs") == true)
        #expect(throws: StartError.self) { try ReadyPlace.write(ready, to: path) }
        hold.remove()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func whatAKilledHostHasLeftGoes() throws {
        let path = folder.path + "/ready.json"
        try Data("{}".utf8).write(to: URL(fileURLWithPath: path))
        try ReadyPlace.clear(path)
        #expect(!FileManager.default.fileExists(atPath: path))
        try ReadyPlace.clear(path)
    }
}
