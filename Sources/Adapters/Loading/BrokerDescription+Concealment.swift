import MarketData
import Secrets

extension Concealment {
    /// Settings that the adapter calls secret.
    package func add(settings: [String: Secret], of adapter: BrokerDescription) {
        add(adapter.configKeys.filter { $0.kind == .secret }.compactMap { settings[$0.name] })
    }
}
