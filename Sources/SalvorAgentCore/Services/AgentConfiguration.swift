package import GRPCCore
package import Logging

/// What the agent's services need to know of their machine, and the seams by which a test stands in for it.
package struct AgentConfiguration: Sendable {
    /// Name of this rescue host, from its bootstrap data.
    package var host: String
    /// Semantic version of the agent.
    package var version: String
    package var tools: AgentTools
    /// Where repair copies are mounted.
    package var mountRoot: String
    package var quarantine: QuarantineStore
    package var disks: any DiskSource
    /// How long a disk that was just plugged in may take to appear. Generous: under translation, on a busy machine, the last
    /// of sixteen comes late, and to wait costs nothing.
    package var diskWait = Duration.seconds(60)
    /// See ``VolumeMounter/stepLimit``.
    package var stepLimit = VolumeMounter.stepLimit
    /// Disks that are looked at or repaired at the same time; others wait. Each takes memory, and processors are few.
    package var disksAtOnce = max(4, 2 * availableProcessors())
    /// Whether a call has ended because its connection was lost, and not by its caller's will: what it began goes on.
    package var isLinkLost: @Sendable (ServerContext) -> Bool = { _ in false }
    package var logs: LogRing
    package var logger: Logger
    /// Ends the services, writes the console out and powers the machine off. Called once, when nothing is mounted, as
    /// soon as the answer to PowerOff is on its way: it should let open calls end first.
    package var powerOff: @Sendable () async -> Void

    package init(
        host: String, version: String, tools: AgentTools = AgentTools(), mountRoot: String = "/run/salvor/mnt",
        quarantine: QuarantineStore, disks: any DiskSource, logs: LogRing, logger: Logger,
        powerOff: @escaping @Sendable () async -> Void
    ) {
        self.host = host
        self.version = version
        self.tools = tools
        self.mountRoot = mountRoot
        self.quarantine = quarantine
        self.disks = disks
        self.logs = logs
        self.logger = logger
        self.powerOff = powerOff
    }
}
