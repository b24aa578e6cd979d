import Glibc

/// What a crash leaves behind: the signal and addresses in the code. Swift's own report also shows registers and the
/// memory that they point to, and that may be a credential.
package enum CrashReport {
    /// Replaces the handlers that Swift's runtime has installed.
    package static func install() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = reportCrash
        action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_NODEFER
        for signal in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP] { sigaction(signal, &action, nil) }
        // The first call loads a library, which a crash is no time for.
        withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: 1) { frames in
            _ = Backtrace.collect?(frames.baseAddress, 1)
        }
        _ = Backtrace.write != nil
    }
}

/// execinfo.h, which Swift does not import. Looked up before the crash.
private enum Backtrace {
    typealias Frames = UnsafeMutablePointer<UnsafeMutableRawPointer?>
    static let collect = dlsym(nil, "backtrace").map {
        unsafeBitCast($0, to: (@convention(c) (Frames?, Int32) -> Int32).self)
    }
    static let write = dlsym(nil, "backtrace_symbols_fd").map {
        unsafeBitCast($0, to: (@convention(c) (Frames?, Int32, Int32) -> Void).self)
    }
}

/// Calls nothing that allocates or locks: it may be a lock or the heap that is broken.
private func reportCrash(_ number: Int32) {
    let name: StaticString =
        switch number {
        case SIGSEGV: "SIGSEGV"
        case SIGBUS: "SIGBUS"
        case SIGILL: "SIGILL"
        case SIGFPE: "SIGFPE"
        case SIGABRT: "SIGABRT"
        default: "SIGTRAP"
        }
    say("feedhost: crashed with ")
    say(name)
    say("; where, without contents of memory (hardening.core_dumps gives those):\n")
    withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: 64) { frames in
        Backtrace.write?(frames.baseAddress, Backtrace.collect?(frames.baseAddress, 64) ?? 0, STDERR_FILENO)
    }
    // The default action, which SA_RESETHAND has put back.
    raise(number)
}

private func say(_ text: StaticString) { _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount) }
