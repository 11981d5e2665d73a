package import SalvorMessages

extension DiskSource {
    /// The one disk that a caller means, waited for while the kernel still brings it up: a disk that was plugged in a
    /// moment ago appears after its plugging, and its partitions after the disk.
    ///
    /// - Parameters:
    ///   - limit: how long a disk may take to appear. A disk with a partition table and no partition is taken as it is
    ///     after a fifth of that.
    ///   - interval: between two looks, each of which costs a run of blkid once the disk is there.
    /// - Throws: what ``SalvorMessages/Salvor_V1_DiskSelector/resolve(among:)`` throws, at the end of the wait.
    package func awaitDisk(
        _ selector: Salvor_V1_DiskSelector, limit: Duration, interval: Duration = .milliseconds(50)
    ) async throws -> Salvor_V1_Disk {
        let began = ContinuousClock.now
        let isMeant = try selector.predicate()
        while true {
            let elapsed = ContinuousClock.now - began
            let seen = try await disks(lookingInto: isMeant)
            do throws(AgentError) {
                let disk = try selector.resolve(among: seen)
                let mayBeComing = disk.partitionTable != .none && disk.volumes.isEmpty
                if !mayBeComing || elapsed >= limit / 5 { return disk }
            } catch {
                guard error.code == .noSuchDisk, elapsed < limit else { throw error }
            }
            try await Task.sleep(for: interval)
        }
    }
}
