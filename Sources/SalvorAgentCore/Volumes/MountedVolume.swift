internal import CLinux
internal import Glibc
internal import SalvorSystem
internal import Synchronization

/// A volume while it is mounted. Whoever has it unmounts it, once.
package final class MountedVolume: Sendable {
    package let device: String
    package let mountPoint: String
    package let mode: VolumeMounter.Mode
    /// nil where the kernel itself reads the file system.
    private let daemon: NTFSDaemon?
    private let live: LiveMounts

    private enum State {
        case opening
        case open(root: Int32)
        case unmounted
    }

    private let state = Mutex(State.opening)
    private let stepLimit: Duration
    private let hasExpired = StopSignal()

    init(
        device: String, mountPoint: String, mode: VolumeMounter.Mode, daemon: NTFSDaemon?, live: LiveMounts,
        stepLimit: Duration
    ) {
        self.stepLimit = stepLimit
        self.device = device
        self.mountPoint = mountPoint
        self.mode = mode
        self.daemon = daemon
        self.live = live
    }

    /// Files of the volume, until it is unmounted.
    /// - Throws: ``AgentError/Code/stillMounted`` once unmounted: a defect of the agent, and no reason to stop it.
    package func tree() throws(AgentError) -> VolumeTree {
        guard case .open(let root) = state.withLock({ $0 }) else {
            throw AgentError(
                .unreadable, "\(device) is no longer mounted.", next: "Report this: it is a defect of the agent.")
        }
        return VolumeTree(root: root)
    }

    /// Works on the volume's files, on a thread of its own and under a watchdog: damaged structures can keep ntfs-3g busy
    /// for ever, and whoever waits for it in the kernel cannot be woken. When the time is up ntfs-3g is killed; every call
    /// that waits for it fails then.
    /// - Throws: ``AgentError/Code/toolTimedOut``, and what `work` throws.
    func files<Value: Sendable>(
        _ work: @escaping @Sendable (VolumeTree) throws(AgentError) -> Value
    ) async throws(AgentError) -> Value {
        let tree = try tree()
        let watchdog = Task.detached { [stepLimit, daemon, hasExpired] in
            guard (try? await Task.sleep(for: stepLimit)) != nil else { return }
            hasExpired.raise()
            daemon?.kill()
        }
        defer { watchdog.cancel() }
        do throws(AgentError) {
            return try await Blocking.run { () throws(AgentError) in try work(tree) }
        } catch {
            throw explained(error)
        }
    }

    /// What an error of work on the files comes from, where it comes from the watchdog.
    func explained(_ error: AgentError) -> AgentError {
        guard hasExpired.isRaised, error.code == .unreadable || error.code == .systemCall else { return error }
        return AgentError(
            .toolTimedOut, "ntfs-3g did not answer for \(stepLimit) on \(device), and was killed.",
            next: "The volume is damaged, or the rescue VM is too slow. Run chkdsk on a copy in Windows.", cause: error)
    }

    func openRoot() throws(AgentError) {
        let root = open(mountPoint, salvor_path_only | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard root >= 0 else { throw .systemCall("open", mountPoint, code: .unreadable) }
        state.withLock { $0 = .open(root: root) }
    }

    /// Unmounts, and returns once ntfs-3g has ended and so has written everything.
    ///
    /// A mount that stays busy for five seconds is detached, so that nothing new can reach it, and that is an error:
    /// nobody may believe that the disk is free.
    /// - Throws: ``AgentError/Code/stillMounted``, ``AgentError/Code/toolFailed``.
    package func unmount() async throws(AgentError) {
        let previous = state.withLock { state in
            defer { state = .unmounted }
            return state
        }
        if case .unmounted = previous { return }
        if case .open(let root) = previous { close(root) }
        let isDetached = await Blocking.run { self.detach() }
        if isDetached {
            throw AgentError(
                .stillMounted,
                "\(device) stayed busy for 5 s and was only detached from \(mountPoint): it can still be in use.",
                next: "Do not use the disk. Restart the rescue VM and begin again with a fresh repair copy.")
        }
        guard let daemon else {
            live.remove(device)
            rmdir(mountPoint)
            return
        }
        guard let exit = await daemon.exit(within: .seconds(120)) else {
            daemon.kill()
            throw AgentError(
                .stillMounted, "ntfs-3g for \(device) did not end within 120 s of unmounting and was killed.",
                next: "Do not trust what was written. Begin again with a fresh repair copy.")
        }
        live.remove(device)
        rmdir(mountPoint)
        if mode != .look, exit.code != 0 {
            throw AgentError(
                .toolFailed,
                "ntfs-3g ended with \(exit.code.map { "exit \($0)" } ?? "a signal") on \(device): \(exit.complaint)",
                next: "Do not trust what was written. Begin again with a fresh repair copy.", cause: exit.failure)
        }
    }

    /// - Returns: whether the mount was only taken out of sight. Blocking.
    private func detach() -> Bool {
        for _ in 0..<50 {
            if salvor_unmount(mountPoint, 0) == 0 { return false }
            // Not mounted: the daemon has ended by itself.
            if errno != EBUSY { return false }
            // The kernel offers nothing to wait on for a mount that is busy.
            usleep(100_000)
        }
        _ = salvor_unmount(mountPoint, 1)
        return true
    }
}
