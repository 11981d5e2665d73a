package import Logging
package import SalvorAudit

/// All that a run meets of the world.
package struct RunDependencies: Sendable {
    package var provider: any Provider
    /// Called once for each run or resume, which closes the switchboard when it ends.
    package var openSwitchboard:
        @Sendable (_ run: String, _ directory: RunDirectory) async throws(CoordinatorError) -> any AgentSwitchboard
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
        openSwitchboard:
            @escaping @Sendable (String, RunDirectory) async throws(CoordinatorError) ->
            any AgentSwitchboard,
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
