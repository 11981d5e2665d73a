import SalvorCoordinatorCore
import Synchronization

/// The rescue VMs that this process has to do with.
final class RescueHosts: Sendable {
    private struct State {
        var shelves: [ResourceID: DiskShelf] = [:]
        /// Of each group, the hosts that were made in it by this process and have not been ended.
        var members: [ResourceID: Set<HostName>] = [:]
        /// Those that this process has ended, or is about to.
        var leavers: [ResourceID: Set<HostName>] = [:]
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
        state.withLock { state in
            state.members[group, default: []].insert(host)
            state.leavers[group]?.remove(host)
        }
    }

    /// Whether this process has begun to end the host.
    func isLeaving(_ host: HostName, _ group: ResourceID) -> Bool {
        state.withLock { $0.leavers[group]?.contains(host) == true }
    }

    /// - Returns: those of this process that have left the group; nil where others are still in it.
    func left(_ host: HostName, _ group: ResourceID) -> Set<HostName>? {
        state.withLock { state in
            state.members[group]?.remove(host)
            state.leavers[group, default: []].insert(host)
            return state.members[group, default: []].isEmpty ? state.leavers[group] : nil
        }
    }
}
