import Glibc

/// A thread for a loop that may block in libzmq and so has no place on an event loop.
final class BusThread: Sendable {
    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void
        init(name: String, run: @escaping @Sendable () -> Void) { (self.name, self.run) = (name, run) }
    }

    /// pthread_setname_np(3), which Swift's Glibc leaves out.
    private static let setName = dlsym(nil, "pthread_setname_np").map {
        unsafeBitCast($0, to: (@convention(c) (pthread_t, UnsafePointer<CChar>?) -> Int32).self)
    }

    private let handle: pthread_t

    /// - Parameter name: For the error when the system gives no thread, and for `top -H`, which shows 15 bytes of it.
    init(name: String, _ run: @escaping @Sendable () -> Void) throws {
        let body = Unmanaged.passRetained(Body(name: name, run: run))
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                // Fails for names of more than 15 bytes; then the program's name stays.
                _ = BusThread.setName?(pthread_self(), body.name)
                body.run()
                return nil
            }, body.toOpaque())
        guard status == 0 else {
            body.release()
            throw ZMQError("start the thread \(name)")
        }
        handle = thread
    }

    /// Waits until the body has returned. Call it once.
    func join() { pthread_join(handle, nil) }
}
