/// Commands that the publisher has fetched and not carried out yet, in order. Its thread's alone.
struct PendingCommands {
    private var batches: [[SharedPublisher.Command]] = []
    /// In the first batch.
    private var place = 0

    mutating func append(_ batch: [SharedPublisher.Command]) { batches.append(batch) }

    mutating func next() -> SharedPublisher.Command? {
        guard let batch = batches.first else { return nil }
        let command = batch[place]
        place += 1
        if place == batch.count {
            batches.removeFirst()
            place = 0
        }
        return command
    }
}
