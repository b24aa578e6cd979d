import Foundation
import Glibc
import TestSupport
import Testing

@testable import Operations

/// What systemd is told, on a socket as it makes one.
@Suite struct ServiceManagerTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    @Test("Paths and abstract names", arguments: [(ServiceManager.State.ready, false), (.stopping, true)])
    func told(state: ServiceManager.State, isAbstract: Bool) throws {
        let name = isAbstract ? "@feedhost-\(UUID().uuidString)" : folder.path + "/notify"
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        try #require(socket >= 0)
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(name.utf8)
        if isAbstract { path[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, length) }
        }
        try #require(bound == 0)
        ServiceManager.send(state, to: name)
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == state.rawValue)
    }

    @Test("A name that is none is left alone", arguments: ["", "notify", "/" + String(repeating: "x", count: 200)])
    func noName(name: String) { ServiceManager.send(.ready, to: name) }
}
