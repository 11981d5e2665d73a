import Foundation
import SalvorCoordinatorCore
import SalvorDigest
import SalvorMessages
import Synchronization

/// Agents that find one faulty file on every disk that they are shown, and remove it: for runs whose rescue VMs are
/// simulated. What they are shown is kept.
final class PlayedSwitchboard: AgentSwitchboard {
    let port = 7443
    private let shown = Mutex<[DiskAddress]>([])

    var addresses: [DiskAddress] { shown.withLock { $0 } }

    func credentials(for host: HostName) async throws(CoordinatorError) -> EnrolmentCredentials {
        EnrolmentCredentials(
            authorityFingerprint: SHA256.digest(of: [1]), token: [UInt8](repeating: UInt8(host.number), count: 32))
    }

    func agent(on host: RescueHost, within timeout: Duration) async throws(CoordinatorError) -> any Agent {
        PlayedAgent(host: host.name) { address in self.shown.withLock { $0.append(address) } }
    }

    func release(_ host: HostName) async {}

    func close() async {}
}

struct PlayedAgent: Agent {
    private static let content = Array("\u{AA}\u{AA} faulty".utf8)
    private static let path = ["Windows", "System32", "drivers", "CrowdStrike", "C-00000291-00000000-00000032.sys"]

    let host: HostName
    let show: @Sendable (DiskAddress) -> Void
    var certificateFingerprint: Digest { SHA256.digest(of: [2]) }

    func version() async throws(CoordinatorError) -> Salvor_V1_VersionResponse {
        var version = Salvor_V1_VersionResponse()
        version.agent = "1.0.0"
        version.protocol = 1
        return version
    }

    func inventory() async throws(CoordinatorError) -> [Salvor_V1_Disk] { [] }

    /// No disk that it plays is encrypted.
    func unlock(
        _ disk: DiskAddress, of machine: String, with keys: [VolumeKey]
    ) async throws(CoordinatorError) -> Salvor_V1_UnlockResponse { Salvor_V1_UnlockResponse() }

    func scan(
        _ disk: DiskAddress, of machine: String, recipe: Salvor_V1_Recipe
    ) async throws(CoordinatorError) -> Salvor_V1_ScanResponse {
        show(disk)
        var finding = Salvor_V1_Finding()
        finding.ruleID = "channel-file-291"
        finding.volumeNumber = 3
        finding.path = Self.path
        finding.sizeBytes = UInt64(Self.content.count)
        finding.sha256 = Data(SHA256.digest(of: Self.content).bytes)
        finding.verdict = .faulty
        finding.action = .quarantineAndDelete
        var response = Salvor_V1_ScanResponse()
        response.outcome.kind = .repairable
        response.findings = [finding]
        return response
    }

    func apply(
        _ request: Salvor_V1_ApplyRequest, to machine: String,
        onEvent: @escaping @Sendable (Salvor_V1_ApplyEvent) async throws -> Void
    ) async throws(CoordinatorError) -> Salvor_V1_Outcome {
        var deleted = Salvor_V1_ApplyEvent()
        deleted.deleted.path = Self.path
        var verified = Salvor_V1_ApplyEvent()
        verified.verified.volumeNumber = 3
        verified.verified.absentFiles = 1
        verified.verified.tablesUnchanged = true
        do {
            for event in [deleted, verified] { try await onEvent(event) }
        } catch {
            throw CoordinatorError(.agentGone, "The agent was lost.", nextStep: "-", cause: error)
        }
        var outcome = Salvor_V1_Outcome()
        outcome.kind = .repaired
        outcome.diskChanged = true
        return outcome
    }

    func fetchQuarantine(_ id: String, of machine: String, into sink: any QuarantineSink) async throws(CoordinatorError)
    {
        var entry = Salvor_V1_QuarantineEntry()
        entry.path = Self.path
        entry.sizeBytes = UInt64(Self.content.count)
        entry.sha256 = Data(SHA256.digest(of: Self.content).bytes)
        entry.volumeNumber = 3
        try await sink.begin(entry)
        try await sink.append(Self.content)
        try await sink.end()
    }

    func discardQuarantine(_ id: String, of machine: String) async throws(CoordinatorError) {}

    func powerOff() async throws(CoordinatorError) {}

    func logs(_ onRecord: @escaping @Sendable (Salvor_V1_LogRecord) -> Void) async throws(CoordinatorError) {}
}
