internal import SalvorAudit
internal import SalvorDigest

extension RescueRun {
    /// A run that puts back, on copies of the disks that the machines have now, what an earlier run deleted or wrote over.
    /// A file that has changed since then is left as it is.
    /// - Parameters:
    ///   - run: the run to undo.
    ///   - machines: some of its machines; empty for all that it took something from.
    /// - Throws: ``CoordinatorError/Code/noSuchRun``, ``CoordinatorError/Code/conflict``, ``CoordinatorError/Code/state``.
    package static func undo(
        _ run: String, machines: [String], assumeYes: Bool, dependencies: RunDependencies
    ) async throws(CoordinatorError) -> RescueRun {
        let journal = try await Journal.open(dependencies.state)
        let record = try await journal.run(run)
        guard record.state == .finished else {
            throw CoordinatorError(
                .conflict, "Run \(run) is \(record.state.rawValue), so there is nothing of it to undo.",
                nextStep: "“salvor resume \(run)” finishes a run; one that was rolled back has its original disks.")
        }
        let known = try await journal.machines(ofRun: run).map(\.machine.name)
        if let stranger = machines.first(where: { !known.contains($0) }) {
            throw CoordinatorError(
                .noSuchMachine, "Run \(run) has no machine \(printable(stranger)).",
                nextStep: "It has \(known.map { printable($0) }.joined(separator: ", ")).")
        }
        let directory = dependencies.state.run(run)
        var names: [String] = []
        for name in machines.isEmpty ? known : machines {
            do throws(CoordinatorError) {
                _ = try await QuarantineSource.open(directory.quarantine(of: name), run: run, machine: name)
                names.append(name)
            } catch {
                // Of all machines, those that nothing was taken from are passed over; one that was named is an error.
                guard machines.isEmpty else { throw error }
            }
        }
        guard !names.isEmpty else {
            throw CoordinatorError(
                .state, "Run \(run) changed no file of any machine, so there is nothing to put back.",
                nextStep: "“salvor report \(run)” says what the run did.")
        }
        var configuration = record.configuration
        configuration.command = .undo
        configuration.machines = names
        configuration.assumeYes = assumeYes
        configuration.undoes = run
        return RescueRun(configuration: configuration, recipe: .undo(run), dependencies: dependencies)
    }
}

extension Recipe {
    /// The files come from the quarantine of each machine.
    fileprivate static func undo(_ run: String) -> Recipe {
        var volume = VolumePolicy()
        // The machine ran, and is stopped like any other: how is nobody's fault.
        volume.resetsLog = true
        volume.repairsDirty = true
        return Recipe(
            name: "undo-\(run)", version: 1, rules: [], volume: volume,
            sha256: SHA256.digest(of: Array("undo \(run)".utf8)))
    }
}
