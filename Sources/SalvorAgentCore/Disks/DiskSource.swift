package import SalvorMessages

/// Where the agent learns which disks there are. The real one is ``SystemDisks``; every device path in what it gives
/// can be opened, and nothing else is ever opened.
package protocol DiskSource: Sendable {
    func disks() async throws(AgentError) -> [Salvor_V1_Disk]
}
