import Glibc

/// Gives memory back to the system when many clients have gone: the C library keeps what they had, in pieces between what is
/// still used, and returns those only when it is asked.
struct MemoryReturn {
    /// So many fewer clients or streams than at the last look are worth it; it takes some milliseconds.
    private static let few = 200

    private var largest = 0

    /// To be called now and then, on no event loop.
    /// - Parameter size: Clients and streams that there are now.
    mutating func look(size: Int) {
        largest = max(largest, size)
        guard size <= largest - Self.few else { return }
        largest = size
        _ = Self.allocatorCall("malloc_trim", as: (@convention(c) (Int) -> Int32).self)?(0)
    }

    /// Has large pieces of memory given back when they are freed, the rings of sessions that have ended (4 MiB each) among
    /// them. By itself glibc takes such pieces from its heap, which rarely shrinks, once it has had one back.
    static func ofLargePieces() {
        // M_MMAP_THRESHOLD.
        _ = allocatorCall("mallopt", as: (@convention(c) (Int32, Int32) -> Int32).self)?(-3, 1 << 20)
    }

    /// A function of glibc's malloc.h, which Swift's Glibc leaves out; nil where the C library has no such call.
    private static func allocatorCall<Call>(_ name: String, as type: Call.Type) -> Call? {
        dlsym(nil, name).map { unsafeBitCast($0, to: type) }
    }
}
