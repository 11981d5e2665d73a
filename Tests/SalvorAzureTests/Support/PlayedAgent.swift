import Foundation
import SalvorCoordinatorCore
import SalvorDigest
import SalvorMessages
import SalvorSystem
import Synchronization

/// Agents that find one faulty file on every disk that they are shown, and remove it: for runs whose rescue VMs are
/// simulated. What they are shown is kept.
final class PlayedSwitchboard: AgentSwitchboard {
    let port = 7443
    private let shown = Mutex<[DiskAddress]>([])
    let lock: PlayedLock?

    /// - Parameter opensWith: the startup key that every disk is locked with; nil where none is locked.
    init(opensWith key: [UInt8]? = nil) { lock = key.map { PlayedLock(key: $0) } }

    var addresses: [DiskAddress] { shown.withLock { $0 } }

    func credentials(for host: HostName) async throws(CoordinatorError) -> EnrolmentCredentials {
        EnrolmentCredentials(
            authorityFingerprint: SHA256.digest(of: [1]), token: [UInt8](repeating: UInt8(host.number), count: 32))
    }

    func expect(_ host: HostName, certificate: Digest) async {}

    func agent(
        on host: RescueHost, within timeout: Duration, while isThere: @escaping @Sendable () async -> Bool
    ) async throws(CoordinatorError) -> any Agent {
        PlayedAgent(host: host.name, lock: lock) { address in self.shown.withLock { $0.append(address) } }
    }

    func release(_ host: HostName) async {}

    func close() async {}
}

struct PlayedAgent: Agent {
    private static let content = Array("\u{AA}\u{AA} faulty".utf8)
    private static let path = ["Windows", "System32", "drivers", "CrowdStrike", "C-00000291-00000000-00000032.sys"]

    let host: HostName
    let lock: PlayedLock?
    let show: @Sendable (DiskAddress) -> Void
    var certificateFingerprint: Digest { SHA256.digest(of: [2]) }

    func version() async throws(CoordinatorError) -> Salvor_V1_VersionResponse {
        var version = Salvor_V1_VersionResponse()
        version.agent = "1.0.0"
        version.protocol = 1
        return version
    }

    func inventory() async throws(CoordinatorError) -> [Salvor_V1_Disk] { [] }

    func unlock(
        _ disk: DiskAddress, of machine: String, with keys: [VolumeKey]
    ) async throws(CoordinatorError) -> Salvor_V1_UnlockResponse {
        lock?.open(with: keys) ?? Salvor_V1_UnlockResponse()
    }

    func forgetKeys(of disk: DiskAddress, on machine: String) async throws(CoordinatorError) { lock?.close() }

    func scan(
        _ disk: DiskAddress, of machine: String, recipe: Salvor_V1_Recipe
    ) async throws(CoordinatorError) -> Salvor_V1_ScanResponse {
        if let locked = lock?.scan { return locked }
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

    func storeQuarantine(
        _ id: String, of machine: String, from source: QuarantineSource
    ) async throws(CoordinatorError) {}

    func discardQuarantine(_ id: String, of machine: String) async throws(CoordinatorError) {}

    func powerOff() async throws(CoordinatorError) {}

    func logs(_ onRecord: @escaping @Sendable (Salvor_V1_LogRecord) -> Void) async throws(CoordinatorError) {}
}

/// A volume that is locked by BitLocker with a startup key, until that is given.
final class PlayedLock: Sendable {
    private static let guid = "b17c0de0-0000-4000-8000-000000000001"
    private let key: [UInt8]
    private let isOpen = Mutex(false)

    init(key: [UInt8]) { self.key = key }

    private var volume: Salvor_V1_EncryptedVolume {
        var protector = Salvor_V1_KeyProtector()
        protector.guid = Self.guid
        protector.kind = .startupKey
        var volume = Salvor_V1_EncryptedVolume()
        volume.volumeNumber = 3
        volume.protectors = [protector]
        volume.unlocked = isOpen.withLock { $0 }
        return volume
    }

    var isClosed: Bool { !isOpen.withLock { $0 } }

    /// What a scan says of a disk that is locked; nil once it is open.
    var scan: Salvor_V1_ScanResponse? {
        guard !isOpen.withLock({ $0 }) else { return nil }
        var response = Salvor_V1_ScanResponse()
        response.outcome.kind = .locked
        response.outcome.message = "Volume 3 is locked."
        response.encrypted = [volume]
        return response
    }

    func close() { isOpen.withLock { $0 = false } }

    func open(with keys: [VolumeKey]) -> Salvor_V1_UnlockResponse {
        let fits = keys.contains { $0.kind == .startupKey && $0.secret.withBytes { Array($0) } == key }
        if fits { isOpen.withLock { $0 = true } }
        var result = Salvor_V1_VolumeUnlock()
        result.volume = volume
        result.result = fits ? .unlocked : .wrongKey
        result.message = fits ? "opened" : "does not open"
        var response = Salvor_V1_UnlockResponse()
        response.volumes = [result]
        return response
    }
}
