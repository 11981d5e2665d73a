internal import SalvorAudit

/// What a rescue would do, found out without writing anything: no copy, no rescue VM, not even a run on record.
package struct DryRun: Sendable {
    package struct Line: Hashable, Sendable {
        package var machine: Machine
        /// What the rescue would do, in order.
        package var steps: [String]
        package var remarks: [String]
        /// What forbids it; nil where nothing does.
        package var objection: String?
        package var exitCode: ExitCode
    }

    package let lines: [Line]

    package var exitCode: ExitCode {
        let codes = Set(lines.map(\.exitCode))
        return codes.count == 1 ? codes.first ?? .success : .someFailed
    }

    /// - Throws: where a machine of that name is not there, or its definition has a mistake.
    package static func plan(
        _ configuration: RunConfiguration, recipe: Recipe, provider: any Provider
    ) async throws(CoordinatorError) -> DryRun {
        var lines: [Line] = []
        let machines = try await RescueRun.machines(configuration.machines, provider)
        let groups = HostPlan.pack(machines, capacity: configuration.hostCapacity) { $0.placement }
        for (index, group) in groups.enumerated() {
            for machine in group {
                var line = Line(
                    machine: machine,
                    steps: steps(machine, configuration, recipe, host: "rescue-\(index + 1)"), remarks: [],
                    objection: nil, exitCode: .success)
                do throws(ProviderError) {
                    line.remarks = try await provider.preflight(machine)
                } catch {
                    let error = CoordinatorError(error)
                    line.objection = error.description
                    line.exitCode = ExitCode(error)
                    line.steps = []
                }
                lines.append(line)
            }
        }
        return DryRun(lines: lines)
    }

    private static func steps(
        _ machine: Machine, _ configuration: RunConfiguration, _ recipe: Recipe, host: String
    ) -> [String] {
        let disk = printable(machine.osDisk.identifier)
        let looking = [
            "copy \(disk), which is only read",
            "start the rescue VM \(host) and attach the copy",
            "scan the copy with the recipe \(recipe.name) \(recipe.version)",
        ]
        switch configuration.command {
        case .scan: return looking + ["detach and delete the copy, end \(host)"]
        case .rescue:
            return looking + [
                configuration.assumeYes ? "go on without asking" : "ask before anything is changed",
                "quarantine and delete what is judged faulty on the copy, verify, detach",
                "swap the copy in for \(disk), which is kept",
                "start \(printable(machine.name)) and watch it boot",
                "end \(host)",
            ]
        }
    }
}
