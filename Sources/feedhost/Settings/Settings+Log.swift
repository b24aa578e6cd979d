import Operations

extension Settings.Log {
    /// Has the whole program log like this. Call it once.
    func install() {
        var isJSON = false
        if case .json = format { isJSON = true }
        LogOutput.install(
            level: level, isJSON: isJSON, files: toFile ? LogFiles(folder: folder, retentionDays: retentionDays) : nil)
    }
}
