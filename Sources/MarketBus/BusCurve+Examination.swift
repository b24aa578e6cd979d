extension BusCurve {
    /// Looks once at the folder with the keys of those who may come in, as a running host does every second.
    /// - Returns: How many keys can be used, and a sentence on each file that cannot.
    public func examineClients() -> (count: Int, problems: [String]) {
        var found = CurveClients(folder: clients)
        let problems = found.refresh()?.problems ?? []
        return (found.byKey.count, problems)
    }
}
