import Foundation
import TestSupport
import Testing

@testable import Adapters

@Suite struct PluginSearchTests {
    @Test func theOrderIsThatOfTheContract() {
        let folders = PluginSearch.folders(
            explicit: ["/nowhere/a", "rel"],
            environment: ["FEEDHOST_PLUGIN_PATH": "/nowhere/b::/nowhere/c/", "HOME": "/nowhere/home"],
            directory: "/nowhere")
        #expect(
            folders.map(\.path) == [
                "/nowhere/a", "/nowhere/rel", "/nowhere/b", "/nowhere/c", "/nowhere/plugins.d",
                "/nowhere/home/.local/share/feedhost/plugins.d", "/usr/local/lib/feedhost/plugins.d",
                "/usr/lib/feedhost/plugins.d",
            ])
        #expect(folders.map(\.isExplicit) == [true, true, true, true, false, false, false, false])
    }

    @Test func theDataFolderOfXDGWins() {
        let folders = PluginSearch.folders(
            environment: ["XDG_DATA_HOME": "/nowhere/data", "HOME": "/nowhere/home"], directory: "/nowhere")
        #expect(folders[1].path == "/nowhere/data/feedhost/plugins.d")
        let relative = PluginSearch.folders(
            environment: ["XDG_DATA_HOME": "data", "HOME": "/nowhere/home"], directory: "/nowhere")
        #expect(relative[1].path == "/nowhere/home/.local/share/feedhost/plugins.d")
    }

    @Test func theSameRealFolderCountsOnce() throws {
        let temporary = try TemporaryFolder()
        let real = try temporary.folder("real")
        try FileManager.default.createSymbolicLink(atPath: "\(temporary.path)/link", withDestinationPath: real)
        let folders = PluginSearch.folders(
            explicit: [real, "\(temporary.path)/link", "\(real)/"], environment: [:], directory: "/nowhere")
        #expect(folders.filter(\.isExplicit).map(\.path) == [real])
    }

    @Test func candidatesAreSortedAndOthersAreNamed() throws {
        let temporary = try TemporaryFolder()
        for name in ["b.so", "a.so", "notes.txt", "README.md", ".hidden", "libx.so.1"] { try temporary.write(name) }
        _ = try temporary.folder("folder")
        let listing = try #require(try FolderListing.read(temporary.path))
        #expect(listing.candidates == ["a.so", "b.so"])
        #expect(listing.others == ["libx.so.1", "notes.txt"])
        let missing = try FolderListing.read("\(temporary.path)/missing")
        #expect(missing?.candidates == nil)
    }

    @Test func explicitFoldersThatAreMissingAreInTheList() throws {
        let temporary = try TemporaryFolder()
        try temporary.write("p/notes.txt")
        try temporary.write("p/bad.so", Array("text".utf8))
        let registry = AdapterRegistry.scan(
            .init(folders: [
                PluginFolder(path: "\(temporary.path)/p", isExplicit: true),
                PluginFolder(path: "\(temporary.path)/gone", isExplicit: true),
                PluginFolder(path: "\(temporary.path)/unsaid", isExplicit: false),
            ]), probe: PluginProbe(environment: [:]))
        #expect(registry.brokers.isEmpty)
        #expect(registry.report.map(\.file) == ["bad.so", "notes.txt", ""])
        #expect(registry.report.map(\.state) == [.refused, .ignored, .refused])
        #expect(registry.report.last?.reason == "the folder does not exist")
        let json = try JSONEncoder().encode(registry.report)
        #expect(try JSONDecoder().decode([PluginRecord].self, from: json) == registry.report)
    }
}
