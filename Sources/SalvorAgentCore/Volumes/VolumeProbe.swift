package import SalvorMessages
internal import SalvorSystem

/// How a volume was left, before anything is mounted: what its own records say, and what ntfs-3g would make of it.
package struct VolumeProbe: Sendable {
    package let state: Salvor_V1_VolumeState
    /// What the state rests on.
    package let detail: String
    /// `$LogFile` has to be reset before the volume can be written to, and how.
    let log: LogReset
    /// hiberfil.sys holds a session.
    let isHibernated: Bool

    /// How an open log is reset.
    enum LogReset: Sendable {
        case notNeeded
        /// By the read-write mount itself.
        case byMounting
        /// By ntfsfix: ntfs-3g mounts no log of version 2.0 read-write.
        case byTool
    }

    /// Changes no byte.
    static func probe(_ device: String, tools: AgentTools) async throws(AgentError) -> VolumeProbe {
        let result = try await tools.runConfined(tools.ntfs3gProbe, ["--readwrite", device])
        // Exit codes: ntfs-3g.probe(8).
        switch result.exitCode {
        case 0, 14, 15: break
        case 13:
            return VolumeProbe(
                state: .corrupt, detail: "Its NTFS structures are damaged: \(result.complaint)", log: .notNeeded,
                isHibernated: false)
        case 12:
            throw AgentError(
                .notNTFS, "\(device) is not NTFS: \(result.complaint)", next: "Check that this is the OS disk.")
        case 16: throw .inUse(device, by: result.complaint)
        default:
            throw AgentError(
                .toolFailed,
                "ntfs-3g.probe could not look at \(device) (exit \(result.exitCode.map(String.init) ?? "by signal")): "
                    + result.complaint, next: "See the agent's log.")
        }
        // 14 is said of a live hiberfil.sys, and of any log of version 2.0; only its words tell them apart, and tools run
        // in the C locale.
        let isHibernated = result.exitCode == 14 && result.complaint.contains("hibernated")
        do throws(AgentError) {
            return try await Blocking.run { () throws(AgentError) in
                var log = try NTFSLog.read(device)
                // Whatever ntfs-3g has against the log, it will not write without a reset.
                if result.exitCode == 15 { log.isOpen = true }
                return VolumeProbe(
                    flags: try NTFSVolumeFlags.read(device), log: log, isHibernated: isHibernated)
            }
        } catch  where error.code == .corrupt {
            return VolumeProbe(state: .corrupt, detail: error.message, log: .notNeeded, isHibernated: isHibernated)
        }
    }

    init(state: Salvor_V1_VolumeState, detail: String, log: LogReset, isHibernated: Bool) {
        self.state = state
        self.detail = detail
        self.log = log
        self.isHibernated = isHibernated
    }

    /// The one that stands in a repair's way the most comes first.
    init(flags: NTFSVolumeFlags, log: NTFSLog, isHibernated: Bool) {
        var details: [String] = []
        var states: [Salvor_V1_VolumeState] = []
        if isHibernated {
            states.append(log.isCached ? .fastStartup : .hibernated)
            details.append(
                log.isCached
                    ? "It was shut down with Fast Startup: hiberfil.sys holds the kernel's session."
                    : "Windows is hibernated on it: hiberfil.sys holds its session.")
        }
        if log.isOpen || log.isCached {
            states.append(.logOpen)
            details.append("Its log (version \(log.major).\(log.minor)) was not closed.")
        }
        if flags.contains(.checkUnderWay) {
            states.append(.chkdskScheduled)
            details.append("A chkdsk began and did not end.")
        }
        if flags.contains(.dirty) {
            states.append(.dirty)
            details.append("Its dirty bit is set.")
        }
        state = states.first ?? .clean
        detail = details.isEmpty ? "It was shut down cleanly." : details.joined(separator: " ")
        self.log = log.isCached ? .byTool : log.isOpen ? .byMounting : .notNeeded
        self.isHibernated = isHibernated
    }
}

extension AgentError {
    static func inUse(_ device: String, by what: String) -> AgentError {
        AgentError(
            .inUse, "\(device) is in use by someone else: \(what)",
            next: "Unmount it there, or detach the disk and attach it again.")
    }
}
