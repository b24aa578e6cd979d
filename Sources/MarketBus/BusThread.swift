import Glibc

/// A thread for a loop that may block in libzmq and so has no place on an event loop.
final class BusThread: Sendable {
    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void
        init(name: String, run: @escaping @Sendable () -> Void) { (self.name, self.run) = (name, run) }
    }

    /// What `top -H` shows of this thread, 15 bytes at most. (Swift's Glibc leaves pthread_setname_np(3) out.)
    private static func setName(_ name: String) {
        guard let file = fopen("/proc/thread-self/comm", "w") else { return }
        fputs(name, file)
        fclose(file)
    }

    private let handle: pthread_t

    /// - Parameter name: For the error when the system gives no thread, and for `top -H`.
    init(name: String, _ run: @escaping @Sendable () -> Void) throws {
        let body = Unmanaged.passRetained(Body(name: name, run: run))
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                BusThread.setName(body.name)
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
