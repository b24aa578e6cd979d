import Glibc

/// A thread for a loop that may block in libzmq and so has no place on an event loop.
final class BusThread: Sendable {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private let handle: pthread_t

    /// - Parameter name: For the error when the system gives no thread.
    init(name: String, _ run: @escaping @Sendable () -> Void) throws {
        let body = Unmanaged.passRetained(Body(run: run))
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
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
