import ArgumentParser
import BrokerSimulator

/// What the simulator lets in. The defaults are the library's, and no secrets.
struct AcceptedCredentials: ParsableArguments {
    private static let defaults = SimulatorCredentials()

    @Option(help: "Key of the application.") var apiKey = defaults.apiKey
    @Option(help: "Secret of the application, for checksums of a login.") var apiSecret = defaults.apiSecret
    @Option(help: "User id or client code.") var user = defaults.user
    @Option(help: "PIN or password of a login.") var password = defaults.password
    @Option(help: "Today's token: access token, JWT or session token.") var accessToken = defaults.accessToken
    @Option(help: "Token of the feed, where a broker has one.") var feedToken = defaults.feedToken

    var credentials: SimulatorCredentials {
        var credentials = SimulatorCredentials()
        credentials.apiKey = apiKey
        credentials.apiSecret = apiSecret
        credentials.user = user
        credentials.password = password
        credentials.accessToken = accessToken
        credentials.feedToken = feedToken
        return credentials
    }
}
