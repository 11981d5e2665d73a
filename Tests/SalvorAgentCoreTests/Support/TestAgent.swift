import FoundationEssentials
import GRPCCore
import GRPCInProcessTransport
import Glibc
import Logging
import SalvorMessages
import SwiftProtobuf
import Synchronization
import Testing

@testable import SalvorAgentCore

/// Disks that are image files: one for the tables, one for each volume.
struct ImageDisks: DiskSource {
    var list: [Salvor_V1_Disk]

    func disks(
        lookingInto isWanted: @Sendable (Salvor_V1_Disk) -> Bool
    ) async throws(AgentError) -> [Salvor_V1_Disk] { list }

    /// A disk with these volumes one after the other, and 1 MiB of tables before and after them.
    static func disk(
        in scratch: Scratch, serial: String = "copy-1", volumes: [Salvor_V1_Volume]
    ) throws -> Salvor_V1_Disk {
        let path = "\(scratch.path)/\(serial).disk"
        let size = UInt64(2 + 16 * max(1, volumes.count)) << 20
        let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_EXCL)
        try #require(ftruncate(file.number, off_t(size)) == 0)
        try #require(pwrite(file.number, Array("tables".utf8), 6, 512) == 6)
        return .with {
            $0.device = path
            $0.serial = serial
            $0.sizeBytes = size
            $0.partitionTable = .gpt
            $0.tableID = "0be1f2e4-0000-4000-8000-000000000001"
            $0.volumes = volumes.enumerated().map { index, volume in
                var volume = volume
                volume.number = UInt32(index + 1)
                volume.startBytes = UInt64(1 + 16 * index) << 20
                volume.sizeBytes = 16 << 20
                return volume
            }
        }
    }
}

extension Salvor_V1_Volume {
    static func ntfs(_ image: NTFSImage) -> Self {
        .with {
            $0.device = image.path
            $0.fileSystem = "ntfs"
        }
    }

    static func other(_ fileSystem: String) -> Self {
        .with {
            $0.device = "/nonexistent"
            $0.fileSystem = fileSystem
        }
    }
}

extension Salvor_V1_Recipe {
    static let channelHeader: [UInt8] = [0xAA, 0xAA, 0xAA, 0xAA, 0x01, 0x00, 0x23, 0x01]

    /// The first recipe, with the times of the incident.
    static func crowdStrike(
        resetLog: Bool = false, repairDirty: Bool = false, discardHibernation: Bool = false
    ) -> Self {
        .with {
            $0.name = "crowdstrike-291"
            $0.version = 1
            $0.volumePolicy.resetLog = resetLog
            $0.volumePolicy.repairDirty = repairDirty
            $0.volumePolicy.discardHibernation = discardHibernation
            $0.rules = [
                .with {
                    $0.id = "channel-291"
                    $0.folder = ["Windows", "System32", "drivers", "CrowdStrike"]
                    $0.namePattern = "C-00000291*.sys"
                    $0.judgement = .with {
                        $0.header = Data(channelHeader)
                        $0.faultyFrom = NTFSImage.faultyTime - 13 * 10_000_000
                        $0.faultyBefore = NTFSImage.faultyTime + 600 * 10_000_000
                        $0.correctedFrom = NTFSImage.correctedTime - 42 * 10_000_000
                    }
                    $0.actions = [
                        .with {
                            $0.verdict = .faulty
                            $0.action = .quarantineAndDelete
                        },
                        .with {
                            $0.verdict = .zeroed
                            $0.action = .quarantineAndDelete
                        },
                    ]
                }
            ]
        }
    }
}

/// A Windows volume as the incident left it, and what to make of it.
enum Incident {
    static let folder = "Windows/System32/drivers/CrowdStrike"
    static let faulty = "\(folder)/C-00000291-00000000-00000032.sys"
    static let corrected = "\(folder)/C-00000291-00000000-00000033.sys"
    /// Like it, and no one's business.
    static let decoys = [
        "\(folder)/C-00000290-00000000-00000032.sys", "\(folder)/C-00000291-00000000-00000032.sys.bak",
        "\(folder)/XC-00000291-00000000-00000032.sys", "Windows/System32/drivers/C-00000291-00000000-00000032.sys",
        "C-00000291-00000000-00000032.sys",
    ]

    static func content(_ seed: UInt8, size: Int = 40_000) -> [UInt8] {
        Salvor_V1_Recipe.channelHeader + (8..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) ^ seed }
    }

    static func windows(_ editor: VolumeEditor) throws {
        try editor.file("Windows/System32/config/SYSTEM", Array("regf".utf8))
    }

    static func broken(_ editor: VolumeEditor) throws {
        try windows(editor)
        try editor.file(faulty, content(32), modified: NTFSImage.faultyTime)
        try editor.file(corrected, content(33), modified: NTFSImage.correctedTime)
        for decoy in decoys { try editor.file(decoy, content(1), modified: NTFSImage.faultyTime) }
    }

    static func components(_ path: String) -> [String] { path.split(separator: "/").map(String.init) }
}

/// An agent over image files, called over gRPC in this process.
struct TestAgent: Sendable {
    let scratch: Scratch
    var disks: ImageDisks
    var tools = AgentTools()
    var budgetBytes: UInt64 = 64 << 20
    var stepLimit = VolumeMounter.stepLimit
    /// Whether a call that ends early counts as one whose link was lost.
    var linksAreLost = false
    let logs = LogRing()
    let poweredOff = Flag()

    init(_ scratch: Scratch, _ disks: [Salvor_V1_Disk]) {
        self.scratch = scratch
        self.disks = ImageDisks(list: disks)
    }

    /// One disk, the volumes in order.
    init(_ scratch: Scratch, _ volumes: Salvor_V1_Volume...) throws {
        self.init(scratch, [try ImageDisks.disk(in: scratch, volumes: volumes)])
    }

    var store: QuarantineStore { QuarantineStore(directory: "\(scratch.path)/quarantine", budgetBytes: budgetBytes) }

    var configuration: AgentConfiguration {
        var configuration = AgentConfiguration(
            host: "rescue-1", version: "0.1.0", tools: tools, mountRoot: "\(scratch.path)/mnt", quarantine: store,
            disks: disks, logs: logs, logger: logs.logger("agent"), powerOff: { [poweredOff] in poweredOff.raise() })
        // Nothing is plugged in while a test runs.
        configuration.diskWait = .zero
        configuration.stepLimit = stepLimit
        configuration.isLinkLost = { [linksAreLost] _ in linksAreLost }
        return configuration
    }

    func call<Result: Sendable>(
        _ body: @Sendable @escaping (GRPCClient<InProcessTransport.Client>) async throws -> Result
    ) async throws -> Result {
        let transport = InProcessTransport()
        return try await withGRPCServer(transport: transport.server, services: AgentServices(configuration).all) { _ in
            try await withGRPCClient(transport: transport.client) { try await body($0) }
        }
    }

    func scan(_ recipe: Salvor_V1_Recipe = .crowdStrike(), serial: String = "copy-1") async throws
        -> Salvor_V1_ScanResponse
    {
        try await call { client in
            try await Salvor_V1_Scan.Client(wrapping: client).run(
                .with {
                    $0.disk.serial = serial
                    $0.recipe = recipe
                })
        }
    }

    /// - Returns: every event; the last one holds the outcome.
    func apply(
        _ expected: [Salvor_V1_Finding], _ recipe: Salvor_V1_Recipe = .crowdStrike(), id: String = "run-1-vm-1"
    ) async throws -> [Salvor_V1_ApplyEvent] {
        let request = applyRequest(expected, recipe, id: id)
        return try await call { client in
            try await Salvor_V1_Apply.Client(wrapping: client).run(request) { response in
                var events: [Salvor_V1_ApplyEvent] = []
                for try await event in response.messages { events.append(event) }
                return events
            }
        }
    }

    func applyRequest(
        _ expected: [Salvor_V1_Finding], _ recipe: Salvor_V1_Recipe = .crowdStrike(), id: String = "run-1-vm-1"
    ) -> Salvor_V1_ApplyRequest {
        .with {
            $0.disk.serial = "copy-1"
            $0.recipe = recipe
            $0.expected = expected
            $0.quarantineID = id
        }
    }
}

/// Raised once, waited for by polling a bounded time.
final class Flag: Sendable {
    private let value = Atomic(false)

    var isRaised: Bool { value.load(ordering: .acquiring) }

    func raise() { value.store(true, ordering: .releasing) }

    func wait(for timeout: Duration = .seconds(120)) async throws -> Bool {
        let deadline = ContinuousClock.now + timeout
        while !isRaised, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
        return isRaised
    }
}

extension [Salvor_V1_ApplyEvent] {
    var outcome: Salvor_V1_Outcome { last?.outcome ?? Salvor_V1_Outcome() }

    var steps: [Salvor_V1_Step] {
        compactMap { if case .stepStarted(let started) = $0.event { started.step } else { nil } }
    }

    var writtenPaths: [[String]] {
        compactMap { if case .written(let written) = $0.event { written.path } else { nil } }
    }

    var deletedPaths: [[String]] {
        compactMap { if case .deleted(let deleted) = $0.event { deleted.path } else { nil } }
    }
}
