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
        // malloc_trim(3), in malloc.h; other C libraries have no such call.
        typealias Trim = @convention(c) (Int) -> Int32
        guard let trim = dlsym(nil, "malloc_trim").map({ unsafeBitCast($0, to: Trim.self) }) else { return }
        _ = trim(0)
    }
}
