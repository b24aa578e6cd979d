import PluginHost

/// What OpenAlgo says on the bus of its users' tokens. Anybody who reaches the bus can say it as often as they like, so one look
/// at the accounts serves all users that were named while the one before was under way.
actor TokenNews {
    private let look: @Sendable () async -> Void
    private let sessions: SessionPool
    private var users: Set<String> = []
    private var isLooking = false

    /// - Parameter look: Looks at the accounts: what was written before it is called is known when it returns.
    init(look: @escaping @Sendable () async -> Void, sessions: SessionPool) {
        self.look = look
        self.sessions = sessions
    }

    /// Ends when `named` does, or with the task.
    func run(_ named: AsyncStream<String>) async {
        for await user in named {
            users.insert(user)
            guard !isLooking else { continue }
            isLooking = true
            Task { await tell() }
        }
    }

    private func tell() async {
        while !users.isEmpty {
            let named = users
            users = []
            await look()
            for user in named { await sessions.credentialsChanged(user: user) }
        }
        isLooking = false
    }
}
