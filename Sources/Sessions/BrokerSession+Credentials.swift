import Adapters
import CFeedhostABI
import Logging
import MarketData
import NIOCore
import Secrets

/// Credentials: read afresh for every connect, and what becomes of a link whose credentials are refused or change.
extension BrokerSession {
    /// Reads the credentials of this moment and hands them to the adapter.
    func connect(link index: Int, generation: UInt64) async {
        let credentials: BrokerCredentials
        do {
            credentials = try await environment.credentials.credentials(user: user, broker: broker)
        } catch let error as FeedError where error.code == .broker {
            // There are none, by decision: asking again and again would not bring them back.
            guard !isEnded, let link = links[index], self.generation(of: link) == generation else { return }
            // Also the same ones count as new when they come back.
            link.fingerprint = nil
            let advice = environment.advice.renewal(user: user, broker: broker)
            fail(link, FeedError(.broker, "\(broker): \(error.message). \(advice)"), because: .loggedOut)
            return
        } catch {
            guard let link = links[index], self.generation(of: link) == generation else { return }
            retry(
                link,
                after: ConnectionEvent(
                    state: Int(FH_CONN_DISCONNECTED), generation: generation,
                    message: "the credentials cannot be read: \(error)", isWhole: true))
            return
        }
        guard !isEnded, let link = links[index], self.generation(of: link) == generation else { return }
        link.fingerprint = credentials.hashValue
        let missing = adapter.description.credentialKeys.filter {
            $0.required && credentials.values[$0.name]?.isEmpty != false
        }
        if !missing.isEmpty {
            fail(
                link,
                FeedError(
                    .broker,
                    "\(broker) needs \(missing.map(\.name).joined(separator: ", ")) for user \(user); \(environment.advice.supply(missing.map(\.name), user: user, broker: broker))"
                ), because: .loggedOut)
            return
        }
        if let known = refusedCredentials[link.kindIndex], known.fingerprint == link.fingerprint {
            fail(link, known.error, because: .loggedOut)
            return
        }
        concealment.add(credentials: credentials.values)
        link.instance?.connect(credentials, generation: generation)
    }

    /// The adapter has not even begun to connect.
    func connectRefused(_ link: BrokerLink, _ status: fh_status, generation: UInt64) {
        let isAuthentication = status == FH_E_AUTH
        take(
            ConnectionEvent(
                state: Int(
                    status == FH_E_INVALID || status == FH_E_UNSUPPORTED ? FH_CONN_FAILED : FH_CONN_DISCONNECTED),
                reason: Int(isAuthentication ? FH_WHY_AUTH_REJECTED : FH_WHY_NETWORK), generation: generation,
                message: StatusWords.of(status)),
            from: link)
    }

    /// Credentials that have served for so long were good; what is refused then has expired since.
    private static let trustedAfter = TimeAmount.seconds(60)

    /// One retry, with whatever the store holds by then; after that only new credentials help.
    func authenticationFailed(_ link: BrokerLink, _ event: ConnectionEvent) {
        // A venue without accounts has refused something else, such as an address: only time can help.
        guard !adapter.description.credentialKeys.isEmpty else { return retry(link, after: event) }
        // Not forgotten with every connect: some brokers refuse after they have let us in.
        if link.hasBeenHealthy(for: BrokerSession.trustedAfter) { link.authenticationFailures = 0 }
        link.authenticationFailures += 1
        guard link.authenticationFailures > 1 else {
            retry(link, after: event)
            return
        }
        let error = FeedError(
            .brokerConnection,
            "\(broker): \(event.sentence). \(environment.advice.renewal(user: user, broker: broker))")
        if let fingerprint = link.fingerprint { refusedCredentials[link.kindIndex] = (fingerprint, error) }
        fail(link, error, because: .loggedOut)
    }

    /// The store may hold other credentials: the session is rebuilt with them, its subscriptions restored. A second login
    /// with the same token must not tear the feed down, and what was refused is not tried again.
    ///
    /// A store that cannot be read at the moment says nothing about them: what runs goes on, and the store is asked again.
    ///
    /// - Parameter isRetry: False when somebody has told of a change: what has gone wrong before makes the next look no later.
    func credentialsChanged(isRetry: Bool = false) async {
        credentialTimer?.cancel()
        if !isRetry { credentialBackoff.reset() }
        let fresh: BrokerCredentials?
        do {
            fresh = try await environment.credentials.credentials(user: user, broker: broker)
        } catch let error as FeedError where error.code == .broker {
            fresh = nil
        } catch {
            return credentialsUnreadable(error)
        }
        guard !isEnded else { return }
        credentialBackoff.reset()
        isStoreTroubleSaid = false
        for link in orderedLinks where fresh == nil || link.fingerprint != fresh?.hashValue {
            let why = fresh == nil ? "and those of before are used no more" : "connecting with the new ones"
            logger.info("the credentials have changed, \(why)")
            link.instance?.disconnect(generation: generation(of: link))
            lost(link, becoming: .idle)
            link.authenticationFailures = 0
            link.backoff.reset()
            connect(link)
        }
        takeStock()
    }

    private func credentialsUnreadable(_ error: any Error) {
        guard !isEnded else { return }
        var generator = SystemRandomNumberGenerator()
        if !isStoreTroubleSaid {
            isStoreTroubleSaid = true
            logger.warning(
                "the credentials may have changed and cannot be read: \(error). Going on with those of before until they can"
            )
        }
        let wait = credentialBackoff.next(using: &generator)
        credentialTimer?.cancel()
        credentialTimer = loop.scheduleTask(in: .milliseconds(wait)) { [weak self] in
            Task { await self?.credentialsChanged(isRetry: true) }
        }
    }
}
