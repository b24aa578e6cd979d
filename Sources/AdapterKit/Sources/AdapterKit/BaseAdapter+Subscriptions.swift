extension BaseAdapter {
    /// Tells the host what became of the wish for one instrument.
    ///
    /// Outcomes given while `subscribe` runs go to the host in one call when it returns; later ones go at once. An
    /// outcome that nothing waits for is ignored, so a broker may confirm twice.
    public func settle(_ handle: UInt32, _ outcome: SubscriptionOutcome) {
        guard pending.settle(handle, outcome) else { return }
        if gathering == 0 { pending.report(to: host) }
    }

    /// Refuses a wish whose symbol is not known, with the sentence that clients expect.
    ///
    /// - Parameter suggestion: a symbol that may have been meant
    public func rejectUnknownSymbol(_ request: SubscriptionRequest, suggestion: String? = nil) {
        var message = "Symbol \(request.symbol) not found for exchange \(request.exchange)"
        if let suggestion { message += ". Did you mean \(suggestion)?" }
        settle(request.handle, .rejected(.unknownInstrument, message: message))
    }

    /// The levels that a wish gets: the largest that the descriptor offers and that is not above it.
    public func grantedDepth(for request: SubscriptionRequest) -> Int {
        descriptor.capabilities.depthLevels(for: request.depth, on: request.exchange)
    }
}
