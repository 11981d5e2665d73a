package import SalvorCoordinatorCore
import SalvorJSON
import SystemPackage

extension AzureProvider {
    /// Starts the machine and waits until the agent inside Windows reports itself ready, which it does after the services
    /// are up. Azure shows an old report for a while, so that only one from after the start counts.
    ///
    /// Whatever comes of it, the last screen and the serial console are saved: a machine that loops shows there why.
    package func startAndProveBoot(_ machine: Machine, consoleLog: String) async throws(ProviderError) -> BootProof {
        let id = try Self.id(machine)
        let arm = arm.within(configuration.bootLimit + .seconds(300))
        return try await providing { () throws(AzureError) in
            let began = arm.clock.monotonic()
            let heardBefore = InstanceView(try await arm.get("\(id)/instanceView", .compute)).agent?.time
            try await arm.post("\(id)/start", .compute)
            let watch = BootWatch(
                id: id, arm: arm, heardBefore: heardBefore, limit: configuration.bootLimit, poll: configuration.bootPoll
            )
            let outcome = try await watch.outcome()
            let diagnostics = BootDiagnostics(id: id, arm: arm, transport: transport)
            let saved = await diagnostics.save(beside: FilePath(consoleLog))
            return BootProof(
                verdict: outcome.verdict, evidence: ([outcome.evidence] + saved.remarks).joined(separator: "; "),
                seconds: (arm.clock.monotonic() - began).inSeconds, consoleLog: saved.consoleLog?.string)
        }
    }
}

extension AzureProvider {
    package func saveConsole(of host: RescueHost, to path: String) async -> Bool {
        guard let id = ResourceID(host.identifier) else { return false }
        let diagnostics = BootDiagnostics(id: id, arm: arm.within(.seconds(120)), transport: transport)
        return await diagnostics.save(beside: FilePath(path)).consoleLog != nil
    }
}

/// Looks at a machine until it is up, has stopped, or time is up.
struct BootWatch: Sendable {
    struct Outcome: Sendable {
        var verdict: BootProof.Verdict
        var evidence: String
    }

    let id: ResourceID
    let arm: ARMClient
    /// When the agent was last heard of before the start, in Azure's words.
    let heardBefore: String?
    let limit: Duration
    let poll: Duration

    func outcome() async throws(AzureError) -> Outcome {
        let end = arm.clock.monotonic() + limit
        var last = InstanceView(nil)
        while arm.clock.monotonic() < end {
            last = InstanceView(try await arm.get("\(id)/instanceView", .compute))
            if let agent = last.agent, agent.isReady, agent.time != heardBefore || heardBefore == nil {
                let system = last.osName.map { ", \($0)" } ?? ""
                return Outcome(
                    verdict: .booted,
                    evidence:
                        "the agent in Windows reports that it is ready (version \(agent.version ?? "unknown")\(system))"
                )
            }
            if last.power == .stopped || last.power == .deallocated {
                return Outcome(verdict: .failed, evidence: "the machine stopped before its agent was ready")
            }
            try await arm.pause(poll, before: ARMCall("GET", "\(id)/instanceView", .compute))
        }
        let agent = last.agent.map { "its agent is \($0.status)" } ?? "nothing was heard of its agent"
        return Outcome(
            verdict: .notProven,
            evidence: "after \(Int(limit.inSeconds)) s the machine is \(last.power.rawValue) and \(agent)")
    }
}
