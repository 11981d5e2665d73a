internal import Synchronization

/// Powers the rescue VM off, once, and never under a disk that is worked on.
struct PowerSwitch: Sendable {
    let leases: DiskLeases
    let mounter: VolumeMounter
    let access: VolumeAccess
    let action: @Sendable () async -> Void
    private let used = Once()

    init(leases: DiskLeases, mounter: VolumeMounter, access: VolumeAccess, action: @escaping @Sendable () async -> Void)
    {
        self.leases = leases
        self.mounter = mounter
        self.access = access
        self.action = action
    }

    /// Powers off in a moment, after the caller has its answer.
    /// - Throws: ``AgentError/Code/diskBusy``, ``AgentError/Code/stillMounted``; the rescue VM stays on then.
    func turnOff() throws(AgentError) {
        try leases.drain()
        let mounted = mounter.mountedDevices + access.mapped.devices
        guard mounted.isEmpty else {
            leases.resume()
            throw AgentError(
                .stillMounted,
                "\(mounted.joined(separator: ", ")) could not be unmounted or closed. The rescue VM stays on.",
                next: "Stop it from outside, and do not use that repair copy.")
        }
        Task.detached { await fire() }
    }

    func turnOffWhenIdle() async {
        await leases.drainAndWait()
        await fire()
    }

    private func fire() async {
        guard used.claim() else { return }
        await action()
    }
}

/// True for the first who asks.
private final class Once: Sendable {
    private let claimed = Atomic(false)

    func claim() -> Bool { claimed.exchange(true, ordering: .acquiringAndReleasing) == false }
}
