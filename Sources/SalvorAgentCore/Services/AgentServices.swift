package import GRPCCore
internal import SalvorSystem

/// All services of one agent, over one set of leases and mounts.
package struct AgentServices: Sendable {
    /// For a GRPCServer.
    package let all: [any RegistrableRPCService]
    private let power: PowerSwitch

    package init(_ configuration: AgentConfiguration) {
        let leases = DiskLeases()
        var mounter = VolumeMounter(
            tools: configuration.tools, mountRoot: configuration.mountRoot, logger: configuration.logger)
        mounter.stepLimit = configuration.stepLimit
        let access = VolumeAccess(tools: configuration.tools)
        let applies = Applies()
        let slots = Limiter(configuration.disksAtOnce)
        power = PowerSwitch(leases: leases, mounter: mounter, access: access, action: configuration.powerOff)
        all = [
            HealthService(configuration, leases: leases),
            InventoryService(disks: configuration.disks),
            UnlockService(configuration: configuration, leases: leases, access: access),
            ScanService(configuration, leases: leases, mounter: mounter, access: access, slots: slots),
            ApplyService(
                configuration, leases: leases, mounter: mounter, access: access, slots: slots, applies: applies),
            QuarantineService(store: configuration.quarantine, applies: applies),
            HostService(logs: configuration.logs, power: power),
        ]
    }

    /// Powers off as soon as no disk is worked on, and takes nothing new until then: for ``CoordinatorWatch``, whose
    /// coordinator is gone and whose calls are ending.
    package func powerOffWhenIdle() async { await power.turnOffWhenIdle() }
}
