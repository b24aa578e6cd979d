import Accounts
import ArgumentParser

extension CredentialsCommand {
    struct RotateKey: StoreCommand {
        static let part = StorePart.credentials
        static let configuration = CommandConfiguration(
            commandName: "rotate-key", abstract: "Makes a new master key and encrypts all credentials with it.",
            discussion:
                "Running hosts go on with the new key. If the command is cut off, run it again: the store opens with the old key or the new one, and both are kept."
        )
        @Option(
            help: ArgumentHelp(
                "Puts the new key into this file, which must not exist; needed when the present key comes from FEEDHOST_MASTER_KEY.",
                valueName: "file"))
        var newKeyFile: String?
        @OptionGroup var options: ConfigurationOptions

        func perform(in store: AccountStore) async throws -> StoreReply {
            let rotation = try await store.rotateKey(newFile: newKeyFile)
            var note = "\(rotation.credentials) credentials are encrypted with the new key in \(rotation.keyFile)."
            if let old = rotation.oldKeyFile {
                note +=
                    "\nThe key before is kept in \(old): it opens backups of the store from before. Delete it when you need none of them."
            } else {
                note +=
                    "\nNow set FEEDHOST_KEY_FILE (or accounts.key_file) to that file, unset FEEDHOST_MASTER_KEY, and restart running hosts: until then they cannot decrypt credentials."
            }
            return StoreReply(note: note)
        }
    }
}
