package import SalvorMessages
internal import SalvorSystem

/// What ntfs-3g.probe says of a volume before anything is mounted read-write.
package struct VolumeProbe: Sendable {
    package let state: Salvor_V1_VolumeState
    package let detail: String
    /// Whether mounting it read-write would have to reset its log.
    package let isLogOpen: Bool

    /// Changes no byte.
    static func probe(_ device: String, tools: AgentTools) async throws(AgentError) -> VolumeProbe {
        let result = try await runTool(tools.ntfs3gProbe, ["--readwrite", device])
        // Exit codes: ntfs-3g.probe(8).
        switch result.exitCode {
        case 0:
            let flags = try await Blocking.run { () throws(AgentError) in try NTFSVolumeFlags.read(device) }
            return flags.isDirty
                ? VolumeProbe(state: .unclean, detail: "Its log is closed, but its dirty bit is set.", isLogOpen: false)
                : VolumeProbe(state: .clean, detail: "It was shut down cleanly.", isLogOpen: false)
        case 14:
            return VolumeProbe(
                state: .hibernated, detail: "Windows is hibernated on it, or Fast Startup is on.", isLogOpen: false)
        case 15:
            return VolumeProbe(
                state: .unclean, detail: "It was not shut down cleanly: its log is open.", isLogOpen: true)
        case 13:
            return VolumeProbe(
                state: .corrupt, detail: "Its NTFS structures are damaged. \(result.complaint)", isLogOpen: false)
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
    }
}

extension AgentError {
    static func inUse(_ device: String, by what: String) -> AgentError {
        AgentError(
            .inUse, "\(device) is in use by someone else: \(what)",
            next: "Unmount it there, or detach the disk and attach it again.")
    }
}
