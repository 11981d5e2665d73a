internal import SalvorSystem
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
    /// Of the machines that can be rescued; nil where none can.
    package let plan: ProviderPlan?

    package var exitCode: ExitCode {
        let codes = Set(lines.map(\.exitCode))
        return codes.count == 1 ? codes.first ?? .success : .someFailed
    }

    /// Machines that are looked at at the same time.
    private static let looks = 8

    /// - Throws: where a machine of that name is not there, or its definition has a mistake.
    package static func plan(
        _ configuration: RunConfiguration, recipe: Recipe, provider: any Provider
    ) async throws(CoordinatorError) -> DryRun {
        let machines = try await RescueRun.machines(configuration.machines, provider)
        let groups = HostPlan.pack(machines, capacity: configuration.hostCapacity) { $0.placement }
        let places = groups.enumerated().flatMap { index, group in
            group.map {
                (machine: $0, host: index, steps: steps($0, configuration, recipe, host: "rescue-\(index + 1)"))
            }
        }
        let limiter = Limiter(looks)
        let lines = await withTaskGroup(of: (Int, Line).self) { tasks in
            for (index, place) in places.enumerated() {
                tasks.addTask {
                    await limiter.run { (index, await look(at: place.machine, steps: place.steps, provider)) }
                }
            }
            return await tasks.reduce(into: [Int: Line]()) { $0[$1.0] = $1.1 }
        }
        var hosts = groups.map { _ in [Machine]() }
        var inOrder: [Line] = []
        for (index, place) in places.enumerated() {
            guard let line = lines[index] else { continue }
            inOrder.append(line)
            if line.objection == nil { hosts[place.host].append(line.machine) }
        }
        hosts.removeAll(where: \.isEmpty)
        guard !hosts.isEmpty else { return DryRun(lines: inOrder, plan: nil) }
        do throws(ProviderError) {
            let rescue = PlannedRescue(
                command: configuration.command, stopsFirst: configuration.stopsFirst,
                concurrentMachines: min(configuration.concurrentCopies, configuration.concurrentBoots), hosts: hosts)
            return DryRun(lines: inOrder, plan: try await provider.plan(for: rescue))
        } catch {
            throw CoordinatorError(error)
        }
    }

    private static func look(at machine: Machine, steps: [String], _ provider: any Provider) async -> Line {
        do throws(ProviderError) {
            let remarks = try await provider.preflight(machine)
            return Line(machine: machine, steps: steps, remarks: remarks, objection: nil, exitCode: .success)
        } catch {
            let error = CoordinatorError(error)
            return Line(
                machine: machine, steps: [], remarks: [], objection: error.description, exitCode: ExitCode(error))
        }
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
        case .create: return looking.dropLast() + ["leave it there for “salvor run” and “salvor restore”"]
        case .scan: return looking + ["detach and delete the copy, end \(host)"]
        case .rescue, .undo:
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
