import Foundation
import MarketData
import Operations

/// What the commands say: to scripts on standard output, to people on standard error.
///
/// Written at once and never through a buffer: whether it got there is known when the call returns, and not after the
/// command has said that all went well.
enum Output {
    /// Standard output takes nothing any more, because whoever read it has gone, as `head` does.
    struct Closed: Error {}

    /// Writes a text and a line end to standard output.
    /// - Throws: ``Closed``, or ``StartError`` for a full disk and the like.
    static func line(_ text: String) throws { try write(text + "\n") }

    /// - Throws: As ``line(_:)``.
    static func write(_ text: String) throws {
        switch put(text, STDOUT_FILENO) {
        case 0: return
        case EPIPE: throw Closed()
        case let code:
            throw StartError(
                "Standard output cannot be written: \(String(cString: strerror(code))). What was to be shown there is lost; let it go elsewhere and run the command again."
            )
        }
    }

    /// Writes a text and a line end to standard error. That it cannot be written is nothing that anybody could be told.
    static func note(_ text: String) { _ = put(text + "\n", STDERR_FILENO) }

    /// Ends the process as others end whose output nobody reads any more: by SIGPIPE, which shells show as 141.
    static func endAsClosed() -> Never {
        signal(SIGPIPE, SIG_DFL)
        var pipe = sigset_t()
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        pthread_sigmask(SIG_UNBLOCK, &pipe, nil)
        raise(SIGPIPE)
        // Only where somebody holds the signal back, such as a debugger.
        exit(141)
    }

    /// Has a closed standard stream stay closed: the next file to be opened, a store for example, would take its number,
    /// and what is said would be written into that.
    static func occupyClosedStreams() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest free number is this one. Opened the wrong way round, so that using it is still an error.
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }

    /// - Returns: 0, or the `errno` of what went wrong.
    private static func put(_ text: String, _ descriptor: Int32) -> Int32 {
        var text = text
        return text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let written = Foundation.write(descriptor, rest.baseAddress, rest.count)
                if written >= 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
                } else if errno == EAGAIN {
                    // A terminal or pipe that somebody else has put into this mode; it is as slow as it is.
                    var place = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&place, 1, -1)
                } else if errno != EINTR {
                    return errno
                }
            }
            return 0
        }
    }
}
