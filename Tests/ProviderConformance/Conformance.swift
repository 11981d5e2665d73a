import SalvorCoordinatorCore
import Testing

/// What every provider owes the workflow: one check for each promise.
package struct Conformance: Sendable {
    package let ground: any ConformanceGround
    let run = "20240719-060000-conf"
    let otherRun = "20240719-060000-else"

    package init(_ ground: any ConformanceGround) { self.ground = ground }

    /// One promise, by its sentence.
    package struct Check: Sendable, CustomTestStringConvertible {
        package let testDescription: String
        package let body: @Sendable (Conformance) async throws -> Void

        init(_ sentence: String, _ body: @escaping @Sendable (Conformance) async throws -> Void) {
            testDescription = sentence
            self.body = body
        }
    }

    package static let checks = namingChecks + copyChecks + swapChecks + hostChecks + runChecks + bootChecks

    /// Runs one check, and looks afterwards whether the originals are as they were.
    package func holds(_ check: Check) async throws {
        var before: [String: String] = [:]
        for machine in ground.machines { before[machine] = try await ground.original(of: machine) }
        try await check.body(self)
        for machine in ground.machines {
            #expect(try await ground.original(of: machine) == before[machine], "\(machine)'s original was written to")
        }
    }

    func machine(_ index: Int = 0) async throws -> Machine {
        try await ground.provider().machine(named: ground.machines[index])
    }

    func copyName(_ machine: Machine, run: String? = nil) -> CopyName {
        CopyName(run: run ?? self.run, machine: machine.name)
    }

    func specification(_ machines: [Machine], run: String? = nil, number: Int = 1) async throws -> HostSpecification {
        HostSpecification(
            name: HostName(run: run ?? self.run, number: number), coordinatorPort: 9,
            route: try await ground.provider().route(toCoordinatorPort: 9), bootstrap: Array("bootstrap".utf8),
            machines: machines)
    }

    func expect(
        _ code: ProviderError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
    ) async throws -> ProviderError? {
        do {
            try await body()
            Issue.record("nothing was thrown", sourceLocation: sourceLocation)
            return nil
        } catch let error as ProviderError {
            #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
            #expect(!error.message.isEmpty && !error.nextStep.isEmpty, sourceLocation: sourceLocation)
            return error
        }
    }
}
