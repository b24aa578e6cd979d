import Foundation
import TestSupport

@testable import Adapters

/// The product `feedhost` as a probe, and the plugins of `Tests/Fixtures/BadPlugins`; what is missing is said.
enum ProbeFixture {
    /// The built binary, or `FEEDHOST_TEST_BINARY`; nil, with a printed reason, when there is none that can probe: then the tests fail.
    static let executable: String? = {
        let environment = ProcessInfo.processInfo.environment
        let beside = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            .map { ($0 as NSString).deletingLastPathComponent + "/feedhost" }
        let bundle = CommandLine.arguments.first.map { ($0 as NSString).deletingLastPathComponent + "/feedhost" }
        let candidates = [environment["FEEDHOST_TEST_BINARY"], beside, bundle].compactMap { $0 }
        guard let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            print("probe tests: no feedhost binary at \(candidates)")
            return nil
        }
        // Status 64 is the probe's way to say that it was called by hand.
        guard run(found, [PluginProbe.command]) == 64 else {
            print("probe tests: \(found) does not know \(PluginProbe.command)")
            return nil
        }
        return found
    }()

    /// A folder with `bad`, `extra`, `shadow` and `.work/valid.so`; nil, with a printed reason, if it cannot be.
    static let plugins: String? = {
        let output =
            FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
            + "/feedhost-bad-plugins-\(getpid())"
        let source = "\(Repository.root)/Tests/Fixtures/BadPlugins"
        guard run("/usr/bin/env", ["make", "-s", "-C", source, "OUT=\(output)"]) == 0 else {
            print("probe tests: make in \(source) failed")
            return nil
        }
        atexit { try? FileManager.default.removeItem(atPath: ProbeFixture.plugins ?? "") }
        return output
    }()

    /// Compiles the smallest adapter, without the flag for any symbol and with that body of `extension(instance, id)`.
    static func adapter(extension body: String, in folder: TemporaryFolder) throws {
        let source = """
            #include <stdlib.h>
            #include <string.h>
            #include "feedhost/extensions.h"
            #define FH_CAP_ANY_SYMBOL 0
            static const void *(extension)(fh_instance *instance, const char *id) { (void)instance, (void)id; \(body) }
            #define extension(a, b) __attribute__((unused)) unused_extension(a, b)
            #include "minimal.h"
            """
        let path = try folder.write("minimal.c", Array(source.utf8))
        let include = "\(Repository.root)/Sources/AdapterKit/Sources/CFeedhostABI/include"
        let status = run(
            "/usr/bin/env",
            [
                "cc", "-std=c11", "-shared", "-fPIC", "-I", include, "-I",
                "\(Repository.root)/Tests/Fixtures/BadPlugins", path, "-o", "\(folder.path)/minimal.so",
            ])
        guard status == 0 else { throw CompilerFailure(status: status) }
        try folder.chmod("minimal.so", 0o755)
    }

    struct CompilerFailure: Error { let status: Int32? }

    static func probe(limit: Duration = .seconds(1)) -> PluginProbe {
        PluginProbe(
            executable: executable ?? "", limit: limit, environment: ProcessInfo.processInfo.environment)
    }

    private static func run(_ program: String, _ arguments: [String]) -> Int32? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { return nil }
        process.waitUntilExit()
        return process.terminationStatus
    }
}
