import ArgumentParser
import Foundation

/// Options that settings are read by.
protocol SettingsOptions: ParsableArguments {
    var input: SettingsInput { get }
}

/// Where the configuration is; every command that has one takes these.
struct ConfigurationOptions: SettingsOptions {
    @Option(help: ArgumentHelp("Configuration in YAML; without it feedhost.yaml, if there is one.", valueName: "file"))
    var config: String?
    @Option(
        help: ArgumentHelp("Variables in python-dotenv syntax; without it .env, if there is one.", valueName: "file"))
    var envFile: String?
    @Option(help: ArgumentHelp("File with users, keys and credentials.", valueName: "file"))
    var store: String?
    @Option(
        help: ArgumentHelp("Any setting, or one of an adapter (broker.key); repeatable.", valueName: "key=value"))
    var set: [String] = []

    var input: SettingsInput {
        var input = SettingsInput()
        input.configFile = config
        input.envFile = envFile
        input.environment = ProcessInfo.processInfo.environment
        input.folder = FileManager.default.currentDirectoryPath
        input.assignments = set
        input.flags = [("--store", "store", store)].compactMap { flag, key, value in
            value.map { SettingSource.Flag(flag: flag, key: key, value: $0) }
        }
        return input
    }
}

/// What commands that use adapters can be told on top of it.
struct AdapterOptions: SettingsOptions {
    @OptionGroup var configuration: ConfigurationOptions
    @Option(help: ArgumentHelp("Folder with adapters, before all others; repeatable.", valueName: "dir"))
    var plugins: [String] = []

    var input: SettingsInput {
        var input = configuration.input
        input.pluginFolders = plugins
        return input
    }
}

/// What `serve` can be told on top of that.
struct ServeSettingsOptions: SettingsOptions {
    @OptionGroup var adapters: AdapterOptions
    @Option(help: "Address that clients connect to.")
    var host: String?
    // A text: then a wrong one is told by the settings, in the same words as a wrong variable.
    @Option(help: "Port that clients connect to; 0 picks a free one.")
    var port: String?
    @Option(
        help: ArgumentHelp("Where clients connect besides; repeatable (proxy.listen).", valueName: "url"))
    var listen: [String] = []
    @Flag(help: "One message a TCP segment, for AmiBroker's plugin (proxy.coalesce).") var noCoalesce = false
    @Flag(help: "Starts although another host runs on the store (accounts.shared_store).") var sharedStore = false

    var input: SettingsInput {
        var input = adapters.input
        let listeners = listen.isEmpty ? nil : listen.joined(separator: ",")
        input.flags += [
            ("--host", "proxy.host", host), ("--port", "proxy.port", port), ("--listen", "proxy.listen", listeners),
            ("--no-coalesce", "proxy.coalesce", noCoalesce ? "false" : nil),
            ("--shared-store", "accounts.shared_store", sharedStore ? "true" : nil),
        ].compactMap { flag, key, value in
            value.map { SettingSource.Flag(flag: flag, key: key, value: $0) }
        }
        return input
    }
}
