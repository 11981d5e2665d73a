internal import Foundation
internal import SalvorAudit
internal import SalvorMessages
internal import SalvorSystem
internal import SwiftProtobuf

/// One run while this process drives it: locked, with its journal and audit log open.
struct RunSession: ~Copyable, Sendable {
    let record: RunRecord
    let directory: RunDirectory
    let dependencies: RunDependencies
    let ledger: RunLedger
    private let lock: RunLock

    /// Begins a run and puts it on record.
    static func begin(
        _ configuration: RunConfiguration, recipe: Recipe, machines: [Machine], dependencies: RunDependencies,
        commandBegan: Duration
    ) async throws(CoordinatorError) -> RunSession {
        let journal = try await Journal.open(dependencies.state)
        let started = dependencies.clock.wall()
        let record = RunRecord(
            id: RunIdentifier.make(at: started, random: dependencies.random), provider: dependencies.provider.kind,
            configuration: configuration, recipe: try recipe.serialized(), recipeName: recipe.name,
            recipeSHA256: recipe.sha256, state: .running, started: started)
        let directory = dependencies.state.run(record.id)
        try await Blocking.run { () throws(CoordinatorError) in try directory.make() }
        let lock = try RunLock(run: record.id, directory: directory)
        try await journal.begin(record, machines: machines)
        let session = try await RunSession(record, directory, dependencies, journal, lock, commandBegan)
        try await session.ledger.append(
            .runStarted(
                AuditEvent.RunStarted(
                    salvorVersion: dependencies.salvorVersion, operator: dependencies.operator,
                    provider: record.provider,
                    recipe: AuditEvent.RecipeIdentity(
                        name: recipe.name, version: recipe.version, sha256: recipe.sha256),
                    options: AuditEvent.RunOptions(
                        command: configuration.command.rawValue, machines: configuration.machines, dryRun: false,
                        assumeYes: configuration.assumeYes, inventory: configuration.inventory))))
        try await session.recordConsent(recipe)
        for machine in machines { try await session.ledger.append(machine.found, StepSubject(machine: machine.name)) }
        return session
    }

    /// Takes up a run that is on record, and changes nothing yet.
    /// - Parameters:
    ///   - recipe: to go on with instead of the one on record.
    ///   - assumeYes: to go on with instead of what is on record.
    static func take(
        up run: String, dependencies: RunDependencies, commandBegan: Duration, recipe: Recipe? = nil,
        assumeYes: Bool? = nil
    ) async throws(CoordinatorError) -> RunSession {
        let journal = try await Journal.open(dependencies.state)
        // Asked before the lock, which would make a folder for a run that never was.
        _ = try await journal.run(run)
        let directory = dependencies.state.run(run)
        try await Blocking.run { () throws(CoordinatorError) in try directory.make() }
        let lock = try RunLock(run: run, directory: directory)
        // Again under the lock: another salvor may have finished it in between.
        var record = try await journal.run(run)
        guard record.provider == dependencies.provider.kind else {
            throw CoordinatorError(
                .conflict,
                "Run \(run) was made with the provider \(record.provider), not \(dependencies.provider.kind).",
                nextStep: "Name that provider on the command line.")
        }
        if let recipe { try record.set(recipe) }
        if let assumeYes { record.configuration.assumeYes = assumeYes }
        let session = try await RunSession(record, directory, dependencies, journal, lock, commandBegan)
        return session
    }

    /// Says in the audit log that the run goes on, and gives what it left open its conclusion: interrupted.
    func recordResumption() async throws(CoordinatorError) {
        try await ledger.append(
            .resumed(
                AuditEvent.Resumed(salvorVersion: dependencies.salvorVersion, operator: dependencies.operator)))
        for intent in try await journal.concludeInterrupted(run: record.id, at: dependencies.clock.wall()) {
            try await ledger.append(
                .stepFailed(AuditEvent.StepFailed(step: intent.step.rawValue, detail: "interrupted", took: .zero)),
                StepSubject(
                    machine: intent.machine, host: intent.host.map { HostName(run: record.id, number: $0) },
                    attempt: intent.attempt))
        }
    }

    private init(
        _ record: RunRecord, _ directory: RunDirectory, _ dependencies: RunDependencies, _ journal: Journal,
        _ lock: consuming RunLock, _ commandBegan: Duration
    ) async throws(CoordinatorError) {
        let run = record.id
        let clock = dependencies.clock
        let head = record.auditHead
        let audit = try await Blocking.run { () throws(CoordinatorError) in
            do throws(AuditError) {
                // A damaged log is kept as evidence and does not keep a machine from being rescued.
                return try AuditLog.open(
                    path: directory.auditLog, run: run, head: head, onDamage: .replace, clock: clock.wall)
            } catch {
                throw CoordinatorError(wrapping: error, doing: "Opening the audit log")
            }
        }
        self.record = record
        self.directory = directory
        self.dependencies = dependencies
        self.lock = lock
        ledger = RunLedger(
            run: run, journal: journal, audit: audit, clock: clock, commandBegan: commandBegan,
            report: dependencies.progress)
    }

    var journal: Journal { ledger.journal }

    func recipe() throws(CoordinatorError) -> Salvor_V1_Recipe {
        do {
            return try Salvor_V1_Recipe(serializedBytes: record.recipe)
        } catch {
            throw CoordinatorError(
                .state, "The journal's copy of the recipe of run \(record.id) cannot be read.",
                nextStep: "Roll the run back, and rescue its machines anew.", cause: error)
        }
    }

    func recordConsent(_ recipe: Recipe) async throws(CoordinatorError) {
        for (name, loss) in recipe.ownConsents.sorted(by: { $0.key < $1.key }) {
            try await ledger.append(
                .note(AuditEvent.Note(text: "The operator agreed to \(name): \(printable(loss)).")))
        }
        for consent in recipe.granted.sorted(by: { $0.rawValue < $1.rawValue }) {
            try await ledger.append(
                .note(AuditEvent.Note(text: "The operator agreed to \(consent.rawValue): \(consent.loss).")))
        }
    }

    /// Keeps a machine's outcome in audit log and journal.
    func keep(_ outcome: MachineOutcome, of machine: Machine) async {
        await Self.keep(outcome, of: machine, ledger)
    }

    static func keep(_ outcome: MachineOutcome, of machine: Machine, _ ledger: RunLedger) async {
        let subject = StepSubject(machine: machine.name)
        do throws(CoordinatorError) {
            try await ledger.append(outcome.auditEvent, subject)
            try await ledger.journal.setOutcome(
                outcome, of: machine.name, run: ledger.run, auditHead: ledger.audit.head)
        } catch {
            ledger.tell(nil, subject, .remark("The outcome could not be recorded. \(error)"))
        }
        ledger.tell(nil, subject, .ended(outcome))
    }
}

extension RunRecord {
    fileprivate mutating func set(_ recipe: Recipe) throws(CoordinatorError) {
        self.recipe = try recipe.serialized()
        recipeName = recipe.name
        recipeSHA256 = recipe.sha256
    }
}

extension Recipe {
    fileprivate func serialized() throws(CoordinatorError) -> [UInt8] {
        do {
            return [UInt8](try message.serializedData())
        } catch {
            throw CoordinatorError(wrapping: error, doing: "Recording the recipe")
        }
    }
}

extension Machine {
    fileprivate var found: AuditEvent {
        .machineFound(AuditEvent.MachineFound(definition: definition, disk: osDisk.identity, details: details))
    }
}
