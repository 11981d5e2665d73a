import AzureEmulator
import SalvorAzure
import SalvorCoordinatorCore
import SalvorJSON
import Testing

/// Every error that Azure is known for, at every call that is made of it: whether the call is made again, what is said,
/// what is left behind, and whether a new process finishes the work.
@Suite struct ErrorTableTests {
    @Test(arguments: TroubledCall.disks) func `disks`(call: TroubledCall) async throws { try await table(call) }
    @Test(arguments: TroubledCall.machines) func `machines`(call: TroubledCall) async throws { try await table(call) }
    @Test(arguments: TroubledCall.images) func `images`(call: TroubledCall) async throws { try await table(call) }
    @Test(arguments: TroubledCall.hosts) func `hosts`(call: TroubledCall) async throws { try await table(call) }

    private func table(_ call: TroubledCall) async throws {
        try await RunningAzure.run(contents: true) { azure in
            let transport = TroubledTransport(azure.connections)
            let arm = ARMClient(
                endpoint: azure.endpoint, transport: transport,
                tokens: FixedToken(secret: try await azure.bearer()), clock: .fast(100))
            let here = try await TroubledGround(AzureGround(azure, arm: arm))
            if call.name.contains("deployment") || call.name.contains("rescue group") {
                try await here.ground.makeImage()
            }
            for trouble in Trouble.all {
                if case .failsLater = trouble.way, call.verb == nil { continue }
                try await row(call, trouble, here, transport)
            }
        }
    }

    private func row(
        _ call: TroubledCall, _ trouble: Trouble, _ here: TroubledGround, _ transport: TroubledTransport
    ) async throws {
        let row = Comment(rawValue: "\(call.name), \(trouble.name)")
        try await call.prepare(here)
        here.azure.faults.rules = rules(call, trouble)
        var loses = false
        var hangs = false
        if case .lostBefore = trouble.way { loses = true }
        if case .hangs = trouble.way { hangs = true }
        transport.watch(call.target, loses: loses, isImpatient: hangs)
        let error = await outcome { try await call.operate(here.ground.provider(), here) }
        let asked = transport.count
        here.azure.faults.rules = []
        transport.calmDown()
        #expect(try await here.diskIsOurs(), row)

        if let ends = trouble.ends {
            #expect(error?.code == ends, row)
            let text = "\(error?.message ?? "") \(error?.nextStep ?? "")"
            for part in [call.subject, trouble.code, trouble.message, "(request ", trouble.advice] {
                #expect(text.lowercased().contains(part.lowercased()) || part.isEmpty, "\(row.rawValue): \(text)")
            }
            if case .refused = trouble.way {
                #expect(asked == call.times, row)
                if call.changes { #expect(try await !call.isDone(here), row) }
            }
            // A new process finds what there is, and finishes it.
            let again = await outcome { try await call.operate(here.ground.provider(), here) }
            #expect(again == nil, "\(row.rawValue), again: \(again.map { "\($0)" } ?? "")")
        } else {
            #expect(error == nil, "\(row.rawValue): \(error.map { "\($0)" } ?? "")")
            // An answer that was lost is looked for before an attach is repeated.
            let looks = if case .lostAfter = trouble.way { call.target.part.contains("attachdetach") } else { false }
            #expect(asked >= (looks ? 1 : call.times + 1), row)
            if looks { #expect(asked == 1, row) }
        }
        #expect(try await call.isDone(here), row)
        #expect(try await here.diskIsOurs(), row)
        try await call.undo(here.ground.provider(), here)
    }

    private func rules(_ call: TroubledCall, _ trouble: Trouble) -> [FaultRule] {
        let path = call.path
        switch trouble.way {
        case .refused(let status, let retryAfter):
            return [
                FaultRule(
                    method: call.target.method, path: path, times: 1,
                    effect: .refuse(
                        status: status, code: trouble.code, message: trouble.message, retryAfter: retryAfter))
            ]
        case .lostAfter: return [FaultRule(method: call.target.method, path: path, times: 1, effect: .lose)]
        case .hangs: return [FaultRule(method: call.target.method, path: path, times: 1, effect: .hang)]
        case .failsLater:
            return [
                FaultRule(
                    verb: call.verb, times: 1, effect: .fail(code: trouble.code, message: trouble.message))
            ]
        case .lostBefore: return []
        }
    }

    private func outcome(_ body: () async throws -> Void) async -> ProviderError? {
        do {
            try await body()
            return nil
        } catch let error as ProviderError {
            return error
        } catch {
            Issue.record("another kind of error: \(error)")
            return nil
        }
    }
}
