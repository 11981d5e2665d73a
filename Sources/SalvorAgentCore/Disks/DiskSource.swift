package import Logging
package import SalvorMessages

/// Where the agent learns which disks there are. The real one is ``SystemDisks``; every device path in what it gives
/// can be opened, and nothing else is ever opened.
package protocol DiskSource: Sendable {
    /// - Parameter isWanted: whether a disk's file systems are of interest: what is on the others is not looked at, and
    ///   their volumes say nothing of it. It is asked of disks as their tables describe them.
    /// - Returns: every disk, wanted or not.
    func disks(lookingInto isWanted: @Sendable (Salvor_V1_Disk) -> Bool) async throws(AgentError) -> [Salvor_V1_Disk]
}

extension DiskSource {
    /// Every disk, with all that is known of it.
    package func disks() async throws(AgentError) -> [Salvor_V1_Disk] { try await disks { _ in true } }

    /// Says in the log which disks there are.
    package func announce(to logger: Logger) async {
        do throws(AgentError) {
            for disk in try await disks() {
                var facts: Logger.Metadata = [
                    "device": "\(disk.device)", "serial": "\(printable(disk.serial.utf8))",
                    "bytes": "\(disk.sizeBytes)", "volumes": "\(disk.volumes.map { printable($0.fileSystem.utf8) })",
                ]
                if disk.hasLun { facts["lun"] = "\(disk.lun)" }
                if disk.rescueSystem { facts["rescue_system"] = "true" }
                logger.info("disk", metadata: facts)
            }
        } catch {
            logger.warning("the disks cannot be listed", metadata: ["error": "\(error)"])
        }
    }
}
