import SalvorAudit
import SalvorCoordinatorCore
import Testing

/// What holds at the end of every run, however it came there.
func checkInvariants(
    _ bench: RunBench, _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let state = bench.world.snapshot
    #expect(state.hosts.isEmpty, comment, sourceLocation: sourceLocation)
    for (name, copy) in state.copies {
        #expect(
            state.machines[name.machine]?.swappedTo == name, "an orphan copy of \(name.machine); \(comment ?? "")",
            sourceLocation: sourceLocation)
        #expect(copy.content == .repaired, comment, sourceLocation: sourceLocation)
    }
    for machine in state.machines.values {
        guard let copy = machine.swappedTo else { continue }
        #expect(state.copies[copy] != nil, comment, sourceLocation: sourceLocation)
    }
    let journal = try await Journal.open(bench.state)
    for run in try await journal.runs() {
        for intent in try await journal.intents(ofRun: run.id) {
            #expect(
                intent.conclusion != nil, "\(intent.step) of \(intent.machine ?? "-") has no outcome; \(comment ?? "")",
                sourceLocation: sourceLocation)
        }
        for resource in try await journal.resources(ofRun: run.id) {
            #expect(
                resource.state == .gone || resource.state == .inUse, "\(resource); \(comment ?? "")",
                sourceLocation: sourceLocation)
        }
        // Opening verifies the chain, and that it goes at least as far as the journal remembers.
        let log = try AuditLog.open(
            path: bench.state.run(run.id).auditLog, run: run.id, head: run.auditHead, onDamage: .refuse)
        #expect(log.head.count == run.auditHead?.count, comment, sourceLocation: sourceLocation)
        log.close()
    }
    try journal.close()
}
