import Foundation
import SalvorCoordinatorCore
import SalvorDigest
import SalvorMessages

struct FakeSwitchboard: AgentSwitchboard {
    let world: FakeWorld
    var port: Int { 4911 }

    func credentials(for host: HostName) async throws(CoordinatorError) -> EnrolmentCredentials {
        EnrolmentCredentials(
            authorityFingerprint: SHA256.digest(of: [1]), token: [UInt8](repeating: UInt8(host.number), count: 32))
    }

    func expect(_ host: HostName, certificate: Digest) async {}

    func agent(
        on host: RescueHost, within timeout: Duration, while isThere: @escaping @Sendable () async -> Bool
    ) async throws(CoordinatorError) -> any Agent {
        let host = host.name
        try await coordinatorErrors {
            try await world.effect("connect \(host.host)") { state in
                guard state.hosts.contains(host) else {
                    throw CoordinatorError(.agentGone, "\(host.host) never called.", nextStep: "-")
                }
            }
        }
        return FakeAgent(world: world, host: host)
    }

    func release(_ host: HostName) async {}

    func close() async {}
}

/// The one faulty file of every machine.
let faultyFile = Array("\u{AA}\u{AA} faulty".utf8)
let faultyPath = ["Windows", "System32", "drivers", "CrowdStrike", "C-00000291-00000000-00000032.sys"]

struct FakeAgent: Agent {
    let world: FakeWorld
    let host: HostName
    var certificateFingerprint: Digest { SHA256.digest(of: [2]) }

    func version() async throws(CoordinatorError) -> Salvor_V1_VersionResponse {
        var version = Salvor_V1_VersionResponse()
        version.agent = "1.0.0"
        version.protocol = world.snapshot.agentProtocol
        version.kernel = "6.1"
        return version
    }

    func inventory() async throws(CoordinatorError) -> [Salvor_V1_Disk] { [] }

    /// No fake disk is encrypted in a way that a key opens.
    func unlock(
        _ disk: DiskAddress, of machine: String, with keys: [VolumeKey]
    ) async throws(CoordinatorError) -> Salvor_V1_UnlockResponse { Salvor_V1_UnlockResponse() }

    func forgetKeys(of disk: DiskAddress, on machine: String) async throws(CoordinatorError) {}

    func scan(
        _ disk: DiskAddress, of machine: String, recipe: Salvor_V1_Recipe
    ) async throws(CoordinatorError) -> Salvor_V1_ScanResponse {
        try await coordinatorErrors {
            try await world.effect("scan \(machine)") { state in
                let name = try attached(machine, state)
                var response = Salvor_V1_ScanResponse()
                response.outcome.message = "what the scan says"
                switch state.machines[machine]?.nature {
                case .locked: response.outcome.kind = .locked
                case .unclean: response.outcome.kind = .unclean
                case .notWindows: response.outcome.kind = .notWindows
                case .ambiguous: response.outcome.kind = .ambiguous
                default:
                    let isFaulty = state.copies[name]?.content == .faulty
                    response.outcome.kind = isFaulty ? .repairable : .nothingToRepair
                    if isFaulty { response.findings = [finding] }
                    if let windowsName = state.machines[machine]?.windowsName {
                        var installation = Salvor_V1_WindowsInstallation()
                        installation.volumeNumber = finding.volumeNumber
                        installation.facts.computerName = windowsName
                        response.installations = [installation]
                    }
                }
                return response
            }
        }
    }

    func apply(
        _ request: Salvor_V1_ApplyRequest, to machine: String,
        onEvent: @escaping @Sendable (Salvor_V1_ApplyEvent) async throws -> Void
    ) async throws(CoordinatorError) -> Salvor_V1_Outcome {
        try await coordinatorErrors {
            world.change { state in
                if let name = try? attached(machine, state) { state.copies[name]?.content = .torn }
            }
            try await world.effect("apply \(machine)") { state in
                let name = try attached(machine, state)
                state.copies[name]?.content = .repaired
            }
            for event in events { try await onEvent(event) }
            var outcome = Salvor_V1_Outcome()
            outcome.kind = .repaired
            outcome.diskChanged = true
            return outcome
        }
    }

    func fetchQuarantine(
        _ id: String, of machine: String, into sink: any QuarantineSink
    ) async throws(CoordinatorError) {
        try await coordinatorErrors { try await world.effect("fetch \(machine)") { _ in } }
        var entry = Salvor_V1_QuarantineEntry()
        entry.path = faultyPath
        entry.sizeBytes = UInt64(faultyFile.count)
        entry.sha256 = Data(SHA256.digest(of: faultyFile).bytes)
        entry.volumeNumber = 3
        try await sink.begin(entry)
        try await sink.append(faultyFile)
        try await sink.end()
    }

    func storeQuarantine(
        _ id: String, of machine: String, from source: QuarantineSource
    ) async throws(CoordinatorError) {
        try await coordinatorErrors { try await world.effect("store \(machine) \(source.files.count)") { _ in } }
    }

    func discardQuarantine(_ id: String, of machine: String) async throws(CoordinatorError) {
        try await coordinatorErrors { try await world.effect("discard \(machine)") { _ in } }
    }

    func powerOff() async throws(CoordinatorError) {}

    func logs(_ onRecord: @escaping @Sendable (Salvor_V1_LogRecord) -> Void) async throws(CoordinatorError) {}

    private func attached(_ machine: String, _ state: WorldState) throws -> CopyName {
        guard let name = state.copies.first(where: { $0.key.machine == machine && $0.value.attachedTo == host })?.key
        else { throw CoordinatorError(.agentGone, "no such disk", nextStep: "-") }
        return name
    }

    private var finding: Salvor_V1_Finding {
        var finding = Salvor_V1_Finding()
        finding.ruleID = "channel-file-291"
        finding.volumeNumber = 3
        finding.path = faultyPath
        finding.sizeBytes = UInt64(faultyFile.count)
        finding.sha256 = Data(SHA256.digest(of: faultyFile).bytes)
        finding.verdict = .faulty
        finding.action = .quarantineAndDelete
        return finding
    }

    private var events: [Salvor_V1_ApplyEvent] {
        var deleted = Salvor_V1_ApplyEvent()
        deleted.deleted.path = faultyPath
        var verified = Salvor_V1_ApplyEvent()
        verified.verified.volumeNumber = 3
        verified.verified.absentFiles = 1
        verified.verified.tablesUnchanged = true
        return [deleted, verified]
    }
}

/// Errors of a fake, as the seam types them.
func coordinatorErrors<Value: Sendable>(_ body: () async throws -> Value) async throws(CoordinatorError) -> Value {
    do {
        return try await body()
    } catch let error as CoordinatorError {
        throw error
    } catch {
        throw CoordinatorError(.agentGone, "The agent was lost.", nextStep: "-", cause: error)
    }
}
