package import SalvorMessages

/// What ntfs-3g.probe says of a volume before anything is mounted read-write.
package struct VolumeProbe: Sendable {
    package let state: Salvor_V1_VolumeState
    package let detail: String

    /// Changes no byte.
    static func probe(_ device: String, tools: AgentTools) async throws(AgentError) -> VolumeProbe {
        let result = try await runTool(tools.ntfs3gProbe, ["--readwrite", device])
        // Exit codes: ntfs-3g.probe(8).
        switch result.exitCode {
        case 0: return VolumeProbe(state: .clean, detail: "The volume was shut down cleanly.")
        case 14: return VolumeProbe(state: .hibernated, detail: "Windows is hibernated on it, or Fast Startup is.")
        case 15: return VolumeProbe(state: .unclean, detail: "It was not shut down cleanly: its log is open.")
        case 13: return VolumeProbe(state: .corrupt, detail: "Its NTFS structures are damaged. \(result.complaint)")
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
