package import SalvorMessages

extension DiskSource {
    /// The one disk that a caller means, waited for while the kernel still brings it up: a disk that was plugged in a
    /// moment ago appears after its plugging, and its partitions after the disk.
    ///
    /// - Parameters:
    ///   - limit: how long a disk may take to appear. A disk with a partition table and no partition is taken as it is
    ///     after a fifth of that, or two seconds, from when it was there.
    ///   - interval: between two looks, each of which costs a run of blkid once the disk is there.
    /// - Throws: what ``SalvorMessages/Salvor_V1_DiskSelector/resolve(among:)`` throws, at the end of the wait;
    ///   ``AgentError/Code/cancelled``.
    package func awaitDisk(
        _ selector: Salvor_V1_DiskSelector, limit: Duration, interval: Duration = .milliseconds(50)
    ) async throws(AgentError) -> Salvor_V1_Disk {
        let began = ContinuousClock.now
        let isMeant = try selector.predicate()
        /// When the disk was there for the first time: its partitions come after it, however late it was itself.
        var appeared: ContinuousClock.Instant?
        while true {
            let now = ContinuousClock.now
            let elapsed = now - began
            let seen = try await disks(lookingInto: isMeant)
            do throws(AgentError) {
                let disk = try selector.resolve(among: seen)
                let mayBeComing = disk.partitionTable != .none && disk.volumes.isEmpty
                if !mayBeComing || now - (appeared ?? now) >= min(limit / 5, .seconds(2)) { return disk }
                appeared = appeared ?? now
            } catch {
                guard error.code == .noSuchDisk, elapsed < limit else { throw error }
            }
            do { try await Task.sleep(for: interval) } catch { throw .givenUp }
        }
    }
}
