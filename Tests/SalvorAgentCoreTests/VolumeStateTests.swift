import SalvorMessages
import Testing

@testable import SalvorAgentCore

/// How a volume was left, told before it is mounted, and what a recipe's policy makes of it.
@Suite(.enabled(if: canMountNTFS, whyNotMountNTFS))
struct VolumeStateTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// A state, how it comes about, what allows its repair, and what the repair does beside the recipe.
    struct State: Sendable, CustomTestStringConvertible {
        var state: Salvor_V1_VolumeState
        var says: String
        var allowed: Salvor_V1_Recipe
        var changes: [String]
        var hibernates = false
        var leave: @Sendable (NTFSImage) throws -> Void

        var testDescription: String { "\(state), \(says)" }
    }

    static let states: [State] = [
        State(
            state: .logOpen, says: "Its log (version 1.1) was not closed.", allowed: .crowdStrike(resetLog: true),
            changes: ["reset by mounting"]
        ) { try $0.openLog() },
        // What a bugcheck leaves of Windows 8 and later, which ntfs-3g takes for a session that would go on.
        State(
            state: .logOpen, says: "Its log (version 2.0) was not closed.", allowed: .crowdStrike(resetLog: true),
            changes: ["reset by ntfsfix"]
        ) { try $0.openLog(version: 2) },
        State(
            state: .logOpen, says: "Its dirty bit is set.", allowed: .crowdStrike(resetLog: true),
            changes: ["reset by ntfsfix"]
        ) {
            try $0.openLog(version: 2)
            try $0.setFlags()
        },
        State(
            state: .dirty, says: "Its dirty bit is set.", allowed: .crowdStrike(repairDirty: true), changes: []
        ) { try $0.setFlags() },
        State(
            state: .chkdskScheduled, says: "A chkdsk began and did not end.", allowed: .crowdStrike(repairDirty: true),
            changes: []
        ) { try $0.setFlags([.dirty, .checkUnderWay]) },
        State(
            state: .hibernated, says: "Windows is hibernated on it", allowed: .crowdStrike(discardHibernation: true),
            changes: ["hiberfil.sys was removed"], hibernates: true
        ) { _ in },
        State(
            state: .hibernated, says: "Windows is hibernated on it", allowed: .crowdStrike(discardHibernation: true),
            changes: ["reset by mounting", "hiberfil.sys was removed"], hibernates: true
        ) { try $0.openLog() },
        State(
            state: .fastStartup, says: "shut down with Fast Startup", allowed: .crowdStrike(discardHibernation: true),
            changes: ["reset by ntfsfix", "hiberfil.sys was removed"], hibernates: true
        ) { try $0.openLog(version: 2) },
    ]

    @Test("A volume's state is told without a byte changed, and repaired where the recipe allows it", arguments: states)
    func state(_ state: State) async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.broken(editor)
            if state.hibernates { try editor.hibernate() }
        }
        try state.leave(image)
        let agent = try TestAgent(scratch, .ntfs(image))
        let before = try image.digest()

        // Everything that the state does not need is allowed.
        let refusing = Salvor_V1_Recipe.crowdStrike(
            resetLog: !state.allowed.volumePolicy.resetLog, repairDirty: !state.allowed.volumePolicy.repairDirty,
            discardHibernation: !state.allowed.volumePolicy.discardHibernation)
        let seen = try await agent.scan(refusing)
        #expect(seen.outcome.kind == .unclean, "\(seen.outcome.message)")
        #expect(!seen.outcome.nextStep.isEmpty)
        #expect(seen.installations.map(\.volumeState) == [state.state])
        #expect(seen.installations.first?.stateDetail.contains(state.says) == true)
        let refused = try await agent.apply(seen.findings, refusing)
        #expect(refused.outcome.kind == .unclean)
        #expect(!refused.outcome.diskChanged)
        let scan = try await agent.scan(state.allowed)
        #expect(scan.outcome.kind == .repairable, "\(scan.outcome.message)")
        #expect(try image.digest() == before)

        let events = try await agent.apply(scan.findings, state.allowed)
        #expect(events.outcome.kind == .repaired, "\(events.outcome.message)")
        let changes = events.compactMap { if case .volumeChanged(let change) = $0.event { change.what } else { nil } }
        #expect(changes.count == state.changes.count, "\(changes)")
        for (change, expected) in zip(changes, state.changes) { #expect(change.contains(expected)) }

        // Of a mark for chkdsk nothing is taken away; all else is as after a clean shutdown.
        let flags = try NTFSVolumeFlags.read(image.path)
        #expect(
            flags.contains(.dirty)
                == (state.says.contains("chkdsk") || state.says.contains("dirty")
                    || changes.contains { $0.contains("ntfsfix") }))
        #expect(try NTFSLog.read(image.path).isOpen == false)
        let after = try await agent.scan(.crowdStrike(repairDirty: true))
        #expect(after.outcome.kind == .nothingToRepair, "\(after.outcome.message)")
    }

    @Test("A hibernated volume with nothing to repair is unclean, and nothing to repair where the session was given up")
    func nothingThere() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.windows(editor)
            try editor.hibernate()
        }
        let agent = try TestAgent(scratch, .ntfs(image))
        let refused = try await agent.scan(.crowdStrike())
        #expect(refused.outcome.kind == .unclean && !refused.outcome.nextStep.isEmpty)
        let given = try await agent.scan(.crowdStrike(discardHibernation: true))
        #expect(given.outcome.kind == .nothingToRepair)
        #expect(given.outcome.message.contains("Windows is hibernated on it"))
    }

    @Test("A volume whose own record or log cannot be read is corrupt or open, and says which")
    func unreadable() async throws {
        let image = try await NTFSImage(in: scratch)
        #expect(try NTFSVolumeFlags.read(image.path) == [])
        #expect(try NTFSLog.read(image.path) == .empty)
        try image.openLog()
        #expect(try NTFSLog.read(image.path).isOpen)
        // A page that was half written: one sector's number is another's.
        try image.tearLog()
        #expect(try NTFSLog.read(image.path).isOpen)
        try image.write([0], at: try image.recordOffset(2))
        #expect(throws: AgentError(.corrupt, "", next: "")) { try NTFSLog.read(image.path) }
    }
}
