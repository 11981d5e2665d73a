internal import CLinux
internal import Glibc
package import Logging
internal import SalvorSystem
internal import Synchronization

/// Mounts NTFS volumes with ntfs-3g below a private directory, and says what the kernel says: never "mounted
/// read-write" on ntfs-3g's word alone.
package struct VolumeMounter: Sendable {
    /// What a mount is for.
    package enum Mode: Sendable, Equatable {
        /// Read-only, and the log is not replayed: changes no byte.
        case look
        /// Read-write. `resetLog` lets ntfs-3g empty the log of a volume that was not shut down cleanly;
        /// `discardHibernation` lets it remove hiberfil.sys.
        case repair(resetLog: Bool, discardHibernation: Bool = false)
    }

    package let tools: AgentTools
    package let mountRoot: String
    let logger: Logger
    let live = LiveMounts()
    /// How long one step on a volume's files may take: reading every match included. Well below what a coordinator waits for
    /// a scan (ten minutes), so that it hears what happened.
    package static let stepLimit = Duration.seconds(300)
    var stepLimit = Self.stepLimit

    package init(tools: AgentTools, mountRoot: String, logger: Logger) {
        self.tools = tools
        self.mountRoot = mountRoot
        self.logger = logger
    }

    /// Volumes mounted now, or whose daemon has not ended.
    package var mountedDevices: [String] { live.devices }

    /// Whether a read-write mount would be safe, and whether it would have to reset the log.
    /// - Throws: ``AgentError/Code/truncated``, ``AgentError/Code/notNTFS``, ``AgentError/Code/inUse``, ….
    func probe(_ device: String) async throws(AgentError) -> VolumeProbe {
        // Before the probe: it takes the unreadable log of a volume that was cut short for an open one.
        try await Blocking.run { () throws(AgentError) in try NTFSBootSector.check(device) }
        return try await VolumeProbe.probe(device, tools: tools)
    }

    /// Mounts a volume. Whoever gets it must unmount it.
    ///
    /// - Throws: ``AgentError/Code/notNTFS``, ``AgentError/Code/truncated``, ``AgentError/Code/inUse``,
    ///   ``AgentError/Code/corrupt``, ``AgentError/Code/mountedReadOnly`` (nothing was changed), …; nothing is mounted then.
    package func mount(_ device: String, _ mode: Mode) async throws(AgentError) -> MountedVolume {
        let (source, mountPoint) = try await Blocking.run { () throws(AgentError) in
            try NTFSBootSector.check(device)
            return try prepare(device)
        }
        let daemon: NTFSDaemon
        do throws(AgentError) {
            let command = tools.confined(
                tools.ntfs3g, ["-o", Self.options(mode).joined(separator: ","), source, mountPoint])
            daemon = try NTFSDaemon(tool: command.tool, arguments: command.arguments)
        } catch {
            rmdir(mountPoint)
            throw error
        }
        live.insert(device)
        let volume = MountedVolume(
            device: device, mountPoint: mountPoint, mode: mode, daemon: daemon, live: live, stepLimit: stepLimit)
        let arrival = await Blocking.run { awaitMount(at: mountPoint, daemon, within: .seconds(120)) }
        do throws(AgentError) {
            switch arrival {
            case .mounted(let entry): try check(entry, source, volume)
            case .daemonEnded: throw await mountFailure(device, daemon)
            case .timedOut:
                daemon.kill()
                throw AgentError(
                    .toolTimedOut, "ntfs-3g did not mount \(device) within 120 s and was killed.",
                    next: "Try again; if it stays so, the disk or the rescue VM is too slow or damaged.")
            }
            try volume.openRoot()
        } catch {
            do throws(AgentError) {
                try await volume.unmount()
            } catch {
                logger.error("unmount after a failed mount", metadata: ["error": "\(error)"])
            }
            throw error
        }
        logger.debug("mounted", metadata: ["device": "\(device)", "mode": "\(mode)"])
        return volume
    }

    static func options(_ mode: Mode) -> [String] {
        // No access times: reading a file on a read-write mount would change its record. Alternate data streams are
        // of no use here, and as attributes they would be more of a hostile volume's words.
        let common = ["nodev", "nosuid", "noexec", "noatime", "no_detach", "streams_interface=none"]
        switch mode {
        case .look: return ["ro", "norecover"] + common
        case .repair(let resetLog, let discardHibernation):
            return ["rw", resetLog ? "recover" : "norecover"] + (discardHibernation ? ["remove_hiberfile"] : [])
                + common
        }
    }

    /// A private, empty mount point, for a device that nobody has mounted.
    func prepare(_ device: String) throws(AgentError) -> (source: String, mountPoint: String) {
        guard let resolved = realpath(device, nil) else { throw .systemCall("realpath", device) }
        let source = String(cString: resolved)
        free(resolved)
        if let other = try MountTable.current().entry(of: source) {
            throw .inUse(device, by: "mounted at \(other.mountPoint)")
        }
        try makeDirectories(mountRoot)
        if tools.confiner != nil { try live.share(mountRoot) }
        var template = Array("\(mountRoot)/volume-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .systemCall("mkdtemp", mountRoot) }
        return (source, String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
    }

    private enum Arrival {
        case mounted(MountEntry)
        case daemonEnded
        case timedOut
    }

    /// Waits for the kernel to list the mount, or for the daemon to give up. No polling: the kernel wakes whoever waits
    /// on /proc/self/mounts. Blocking.
    private func awaitMount(at mountPoint: String, _ daemon: NTFSDaemon, within timeout: Duration) -> Arrival {
        let deadline = ContinuousClock.now + timeout
        guard let changes = try? Descriptor.open(MountTable.path, O_RDONLY) else { return .daemonEnded }
        var hasEnded = false
        while true {
            if let entry = try? MountTable.current().entry(at: mountPoint) { return .mounted(entry) }
            if hasEnded { return .daemonEnded }
            var pollers = [
                pollfd(fd: changes.number, events: Int16(POLLPRI), revents: 0),
                pollfd(fd: daemon.hangup.number, events: Int16(POLLIN), revents: 0),
            ]
            if poll(&pollers, 2, milliseconds(until: deadline)) == 0 { return .timedOut }
            hasEnded = pollers[1].revents != 0
        }
    }

    /// The agent's third rule: what is mounted, and how, is what the kernel says.
    func check(_ entry: MountEntry, _ source: String, _ volume: MountedVolume) throws(AgentError) {
        let device = volume.device
        guard entry.source == source, ["fuse", "fuseblk", Self.fat].contains(entry.type) else {
            throw AgentError(
                .inUse, "\(volume.mountPoint) shows \(entry.source) (\(entry.type)) instead of \(device).",
                next: "See what else mounts things on this rescue VM.")
        }
        switch volume.mode {
        case .look where entry.isReadWrite:
            throw AgentError(
                .mountedReadWrite, "\(device) was to be mounted read-only and is writable. It was unmounted.",
                next: "Check the ntfs-3g of the rescue image.")
        case .repair where !entry.isReadWrite:
            throw AgentError(
                .mountedReadOnly,
                "\(device) was to be mounted read-write, and ntfs-3g mounted it read-only: it does not take the volume for safe. "
                    + "Nothing was changed.",
                next: "Start Windows, turn Fast Startup and hibernation off, shut it down fully, and try again.")
        case .look, .repair: return
        }
    }

    private func mountFailure(_ device: String, _ daemon: NTFSDaemon) async -> AgentError {
        guard let exit = await daemon.exit(within: .seconds(10)) else {
            return AgentError(.toolTimedOut, "ntfs-3g for \(device) does not end.", next: "See the agent's log.")
        }
        if let failure = exit.failure { return failure }
        let next = "See the agent's log."
        // Exit codes: ntfs-3g(8).
        switch exit.code {
        case 12:
            return AgentError(
                .notNTFS, "\(device) is not NTFS: \(exit.complaint)", next: "Check that this is the OS disk.")
        case 13:
            return AgentError(
                .corrupt, "The NTFS volume on \(device) is damaged: \(exit.complaint)",
                next: "Run chkdsk on a copy of the disk in Windows, or restore a backup.")
        case 14:
            return AgentError(.hibernated, "Windows is hibernated on \(device).", next: "Shut Windows down fully.")
        case 15:
            return AgentError(
                .unclean, "\(device) was not shut down cleanly.", next: "Allow the recipe to reset the volume's log.")
        case 16: return .inUse(device, by: exit.complaint)
        default:
            return AgentError(
                .toolFailed,
                "ntfs-3g could not mount \(device) (exit \(exit.code.map(String.init) ?? "by signal")): \(exit.complaint)",
                next: next)
        }
    }
}

/// Devices whose ntfs-3g runs.
final class LiveMounts: Sendable {
    private let state = Mutex<[String]>([])
    private let isShared = Mutex(false)

    var devices: [String] { state.withLock { $0 } }

    /// Once: what ntfs-3g mounts in a namespace of its own is seen by the agent below this directory, and nowhere else.
    /// Blocking.
    func share(_ mountRoot: String) throws(AgentError) {
        let failure = isShared.withLock { isShared -> Int32 in
            guard !isShared else { return 0 }
            guard salvor_share_mounts(mountRoot) == 0 else { return errno }
            isShared = true
            return 0
        }
        guard failure == 0 else {
            errno = failure
            throw .systemCall("mount", mountRoot)
        }
    }

    func insert(_ device: String) { state.withLock { $0.append(device) } }

    func remove(_ device: String) {
        state.withLock { devices in
            if let index = devices.firstIndex(of: device) { devices.remove(at: index) }
        }
    }
}

/// Makes a directory of the agent's own, and what is above it, for root alone. Blocking.
func makeDirectories(_ path: String) throws(AgentError) {
    if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
        throw .systemCall("mkdir", path)
    }
    try makeDirectories(String(path[..<slash]))
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .systemCall("mkdir", path) }
}
