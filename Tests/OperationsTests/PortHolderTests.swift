import Foundation
import TestSupport
import Testing

@testable import Operations

@Suite struct PortHolderTests {
    /// A hundred listeners are more than one piece of the kernel's table, which ends after 27.
    @Test func isFoundBesideManyOthers() throws {
        let listeners = try (0..<100).map { _ in try Listener() }
        for listener in listeners {
            #expect(PortHolder.name(port: listener.port)?.hasSuffix("(process \(getpid()))") == true)
        }
    }

    @Test func nobodyIsNamedForAFreePort() throws {
        let port = try Listener().port
        #expect(PortHolder.name(port: port) == nil)
    }

    private final class Listener {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        private(set) var port = 0

        init() throws {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isListening = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, size) == 0 && listen(descriptor, 1) == 0
                        && getsockname(descriptor, $0, &size) == 0
                }
            }
            try #require(isListening)
            port = Int(address.sin_port.bigEndian)
        }

        deinit { close(descriptor) }
    }
}

@Suite struct WholeFileTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 200_000])
    func everyByteComes(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        #expect(try WholeFile.bytes(try folder.write("a", bytes)) == bytes)
    }

    @Test func aTableOfTheKernelsIsReadToItsEnd() throws {
        let bytes = try WholeFile.bytes("/proc/self/smaps")
        #expect(bytes.count > 4_096 && bytes.last == UInt8(ascii: "\n"))
        #expect(String(decoding: bytes, as: UTF8.self).contains("[stack]"))
    }

    /// Two writes with a reader in between: the second is no end.
    @Test func aPipeIsReadToItsEnd() throws {
        let pipe = folder.file("pipe")
        try #require(mkfifo(pipe, 0o600) == 0)
        let writer = Thread {
            guard let end = FileHandle(forWritingAtPath: pipe) else { return }
            for _ in 0..<50 { end.write(Data(repeating: 7, count: 4_000)) }
            try? end.close()
        }
        writer.start()
        #expect(try WholeFile.bytes(pipe).count == 200_000)
    }

    @Test func noMoreThanTheLimitIsKept() throws {
        let path = try folder.write("a", [UInt8](repeating: 1, count: 100))
        #expect(try WholeFile.bytes(path, limit: 100).count == 100)
        #expect(try WholeFile.bytes(path, limit: 99).count == 100)
        #expect(try WholeFile.bytes(path, limit: 10).count == 11)
    }

    @Test func theSystemsReasonIsKept() throws {
        let missing = #expect(throws: WholeFile.Failure.self) { try WholeFile.bytes(folder.file("none")) }
        #expect(missing?.code == ENOENT)
        let isFolder = #expect(throws: WholeFile.Failure.self) { try WholeFile.bytes(folder.path) }
        #expect(isFolder?.code == EISDIR)
    }
}
