import SalvorCoordinatorCore
import Synchronization

/// The rescue VMs that this process has to do with.
final class RescueHosts: Sendable {
    private struct State {
        var shelves: [ResourceID: DiskShelf] = [:]
        /// Of each group, the hosts that were made in it by this process and have not been ended.
        var members: [ResourceID: Set<HostName>] = [:]
    }

    private let state = Mutex(State())

    func shelf(of machine: ResourceID, make: () -> DiskShelf) -> DiskShelf {
        state.withLock { state in
            if let shelf = state.shelves[machine] { return shelf }
            let shelf = make()
            state.shelves[machine] = shelf
            return shelf
        }
    }

    func joined(_ host: HostName, _ group: ResourceID) {
        state.withLock { _ = $0.members[group, default: []].insert(host) }
    }

    /// - Returns: true where no other host of this process is in the group: it can go as a whole.
    func left(_ host: HostName, _ group: ResourceID) -> Bool {
        state.withLock { state in
            state.members[group]?.remove(host)
            return state.members[group, default: []].isEmpty
        }
    }
}
