import CFeedhostABI

// The C functions that the host calls. Each finds the Swift object behind the opaque pointer, turns what was thrown
// into a status, and lets nothing unwind.

func makeAdapterTable() -> fh_adapter {
    var table = fh_adapter()
    table.size = UInt32(MemoryLayout<fh_adapter>.size)
    table.create = { params, out in create(params, out) }
    table.connect = { instance, generation, credentials in
        guard let adapter = BaseAdapter.of(instance) else { return Status.invalid.rawValue }
        return adapter.begin(generation: generation, credentials: credentials).rawValue
    }
    table.subscribe = { instance, request, wishes, count in
        guard let adapter = BaseAdapter.of(instance), let requests = SubscriptionRequest.list(wishes, count: count)
        else {
            return Status.invalid.rawValue
        }
        return adapter.begin(subscribing: requests, request: request).rawValue
    }
    table.unsubscribe = { instance, _, wishes, count in
        guard let adapter = BaseAdapter.of(instance), let requests = SubscriptionRequest.list(wishes, count: count)
        else {
            return Status.invalid.rawValue
        }
        return adapter.begin(unsubscribing: requests).rawValue
    }
    table.disconnect = { instance, generation in
        guard let adapter = BaseAdapter.of(instance) else { return Status.invalid.rawValue }
        return adapter.begin(disconnecting: generation).rawValue
    }
    table.destroy = { instance in
        guard let instance else { return }
        let object = Unmanaged<BaseAdapter>.fromOpaque(UnsafeRawPointer(instance))
        object.takeUnretainedValue().releaseEverything()
        object.release()
    }
    table.extension = { instance, id in
        switch id.map({ String(cString: $0) }) {
        case "feedhost.transport/1": UnsafeRawPointer(transportEvents.pointer)
        case "feedhost.orders/1": BaseAdapter.of(instance)?.ordersTable
        case "feedhost.instruments/1": AdapterEntry.hasMasters ? UnsafeRawPointer(InstrumentsTable.shared.pointer) : nil
        default: nil
        }
    }
    return table
}

private func create(
    _ params: UnsafePointer<fh_create_params>?, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    guard let params, let out, params.pointee.size >= UInt32(MemoryLayout<fh_create_params>.size) else {
        return Status.invalid.rawValue
    }
    out.pointee = nil
    guard let registration = AdapterEntry.registration(String(params.pointee.adapter_id)) else {
        return Status.unsupported.rawValue
    }
    guard let context = AdapterContext(params.pointee, descriptor: registration.descriptor) else {
        return Status.invalid.rawValue
    }
    do throws(AdapterError) {
        let object = try registration.make(context)
        out.pointee = OpaquePointer(Unmanaged.passRetained(object).toOpaque())
        return Status.ok.rawValue
    } catch {
        context.host.log(.error, "\(registration.descriptor.broker): \(error.message)")
        return error.failure.rawValue
    }
}

extension AdapterError {
    /// The status for the host: an error that claims success would be taken for one.
    var failure: Status { status.isSuccess ? .internalFault : status }
}

extension BaseAdapter {
    fileprivate func begin(generation: UInt64, credentials: UnsafePointer<fh_credentials>?) -> Status {
        // A connect on top of a connection replaces it; the host has moved on to a new generation.
        if state != .idle {
            state = .idle
            releaseEverything()
            disconnect()
        }
        self.generation = generation
        state = .connecting
        report(FH_CONN_CONNECTING)
        do throws(AdapterError) {
            try connect(credentials: Credentials(credentials))
            return .ok
        } catch {
            state = .idle
            releaseEverything()
            host.log(.error, "connect: \(error.message)")
            return error.failure
        }
    }

    fileprivate func begin(subscribing requests: [SubscriptionRequest], request: UInt64) -> Status {
        guard state == .ready else { return .wrongState }
        pending.add(requests, request: request)
        gathering += 1
        do throws(AdapterError) {
            try subscribe(requests)
            if !descriptor.capabilities.traits.contains(.confirmsSubscriptions) {
                for handle in pending.unsettled(request: request) { settle(handle, .sent) }
            }
        } catch {
            for handle in pending.unsettled(request: request) {
                settle(handle, .rejected(error.failure, message: error.message))
            }
        }
        gathering -= 1
        pending.report(to: host)
        return .ok
    }

    fileprivate func begin(unsubscribing requests: [SubscriptionRequest]) -> Status {
        guard state == .ready else { return .wrongState }
        for request in requests { pending.remove(request.handle) }
        do throws(AdapterError) {
            try unsubscribe(requests)
            return .ok
        } catch {
            host.log(.warning, "unsubscribe: \(error.message)")
            return error.failure
        }
    }

    fileprivate func begin(disconnecting generation: UInt64) -> Status {
        guard generation == self.generation else { return .wrongState }
        disconnected(.requested)
        disconnect()
        return .ok
    }
}
