package import Logging
package import SalvorAudit

/// All that a run meets of the world.
package struct RunDependencies: Sendable {
    package var provider: any Provider
    /// Opens a switchboard for agents of the run: on the given port, where some know it already.
    package typealias SwitchboardOpener =
        @Sendable (_ run: String, _ directory: RunDirectory, _ port: Int?) async throws(CoordinatorError) ->
        any AgentSwitchboard

    /// Called once for each run or resume, which closes the switchboard when it ends.
    package var openSwitchboard: SwitchboardOpener
    package var confirmation: any Confirmation
    /// Asked in this order for keys of encrypted volumes. Nothing of them is kept: a resumed run asks again.
    package var keySources: [any KeySource] = []
    package var state: StateDirectory
    package var `operator`: AuditEvent.Operator
    package var salvorVersion: String
    package var clock = RunClock.system
    package var random: @Sendable () -> UInt64 = { UInt64.random(in: 0 ... .max) }
    /// Called from many tasks; returns at once.
    package var progress: @Sendable (ProgressEvent) -> Void = { _ in }
    package var logger = Logger(label: "salvor")

    package init(
        provider: any Provider,
        openSwitchboard: @escaping SwitchboardOpener,
        confirmation: any Confirmation, state: StateDirectory, operator: AuditEvent.Operator, salvorVersion: String
    ) {
        self.provider = provider
        self.openSwitchboard = openSwitchboard
        self.confirmation = confirmation
        self.state = state
        self.operator = `operator`
        self.salvorVersion = salvorVersion
    }
}
