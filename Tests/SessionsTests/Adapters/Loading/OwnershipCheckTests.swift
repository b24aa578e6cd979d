import Foundation
import TestSupport
import Testing

@testable import Adapters

@Suite struct OwnershipCheckTests {
    private func refusal(
        _ temporary: TemporaryFolder, _ file: String = "a.so", folder: String? = nil, user: uid_t = geteuid()
    ) -> String? {
        do throws(PluginRefusal) {
            _ = try OwnershipCheck(user: user).check(folder: folder ?? temporary.path, file: file)
        } catch {
            return error.reason
        }
        return nil
    }

    @Test func aFileOfOursIsFine() throws {
        let temporary = try TemporaryFolder()
        try temporary.write("a.so")
        #expect(refusal(temporary) == nil)
    }

    @Test func whatEverybodyCanWriteIsRefusedWithTheMend() throws {
        let temporary = try TemporaryFolder()
        let file = try temporary.write("a.so", mode: 0o666)
        #expect(try #require(refusal(temporary)).contains("chmod o-w '\(file)'"))
        try temporary.chmod("a.so", 0o644)
        try temporary.chmod("", 0o777)
        #expect(try #require(refusal(temporary)).contains("chmod o-w '\(temporary.path)'"))
    }

    @Test func foreignOwnersAreRefused() throws {
        let temporary = try TemporaryFolder()
        let file = try temporary.write("a.so")
        if geteuid() == 0 {
            #expect(chown(file, 12_345, 12_345) == 0)
            #expect(try #require(refusal(temporary)).contains("belongs to user 12345"))
            #expect(refusal(temporary, user: 12_345) == nil)
        } else {
            #expect(try #require(refusal(temporary, user: geteuid() + 1)).contains("belongs to user \(geteuid())"))
        }
    }

    @Test func whatALinkLeadsToIsCheckedToo() throws {
        let temporary = try TemporaryFolder()
        let plugins = try temporary.folder("plugins")
        try temporary.write("elsewhere/real.so")
        try FileManager.default.createSymbolicLink(
            atPath: "\(plugins)/a.so", withDestinationPath: "../elsewhere/real.so")
        #expect(refusal(temporary, folder: plugins) == nil)
        try temporary.chmod("elsewhere", 0o777)
        #expect(try #require(refusal(temporary, folder: plugins)).contains("elsewhere"))
        try temporary.chmod("elsewhere", 0o755)
        try temporary.chmod("elsewhere/real.so", 0o646)
        #expect(try #require(refusal(temporary, folder: plugins)).contains("real.so"))
        try FileManager.default.removeItem(atPath: "\(temporary.path)/elsewhere/real.so")
        #expect(refusal(temporary, folder: plugins) == "is a symbolic link that leads nowhere")
    }

    @Test func foldersAndPipesAreNoLibraries() throws {
        let temporary = try TemporaryFolder()
        _ = try temporary.folder("a.so")
        #expect(refusal(temporary) == "is a folder, not a shared library")
        #expect(mkfifo("\(temporary.path)/b.so", 0o600) == 0)
        #expect(try #require(refusal(temporary, "b.so")).contains("pipe"))
    }
}
