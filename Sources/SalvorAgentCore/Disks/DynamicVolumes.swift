internal import FoundationEssentials
internal import Glibc
internal import SalvorMessages
internal import SalvorSystem
internal import SwiftProtobuf

/// The simple volumes of a dynamic disk, as ldmtool reads the logical disk manager's database: those that lie in one piece
/// on this disk. What is spanned, striped or mirrored, or goes on elsewhere, is left to Windows.
struct DynamicVolumes: Sendable {
    /// What such a volume has in place of a partition type.
    static let simpleType = "ldm-simple"
    /// Far above what a disk group of one disk holds.
    private static let mostVolumes = 64
    private static let sectorBytes: UInt64 = 512

    let tools: AgentTools

    private struct Group: Decodable {
        var volumes: [String]
    }

    private struct Volume: Decodable {
        var guid: String
        var type: String
        var size: UInt64
        var partitions: [String]
    }

    private struct Partition: Decodable {
        /// In the data area of its disk, in sectors.
        var start: UInt64
        var size: UInt64
        var disk: String
    }

    private struct Disk: Decodable {
        var present: Bool
        var device: String?
        var dataStart: UInt64

        enum CodingKeys: String, CodingKey {
            case present, device
            case dataStart = "data-start"
        }
    }

    /// - Returns: none for a disk that is not dynamic, whose database cannot be read, or where there is no ldmtool.
    func volumes(of disk: Salvor_V1_Disk) async -> [Salvor_V1_Volume] {
        guard disk.volumes.contains(where: VolumeKind.isDynamic),
            let groups: [String] = await ask(disk, ["scan"]), let group = groups.first, groups.count == 1,
            let known: Group = await ask(disk, ["show", "diskgroup", group])
        else { return [] }
        let first = (disk.volumes.map(\.number).max() ?? 0) + 1
        var volumes: [Salvor_V1_Volume] = []
        for (index, name) in known.volumes.prefix(Self.mostVolumes).enumerated() {
            guard let volume = await simple(name, of: group, on: disk, number: first + UInt32(index)) else { continue }
            volumes.append(volume)
        }
        return volumes
    }

    private func simple(
        _ name: String, of group: String, on disk: Salvor_V1_Disk, number: UInt32
    ) async -> Salvor_V1_Volume? {
        guard let volume: Volume = await ask(disk, ["show", "volume", group, name]), volume.type == "simple",
            volume.partitions.count == 1, let piece = volume.partitions.first,
            let partition: Partition = await ask(disk, ["show", "partition", group, piece]),
            let place: Disk = await ask(disk, ["show", "disk", group, partition.disk]),
            place.present, place.device == disk.device, partition.size == volume.size,
            let start = bytes(place.dataStart, partition.start), let size = bytes(partition.size, 0),
            start <= disk.sizeBytes, size <= disk.sizeBytes - start
        else { return nil }
        let device = disk.device
        let fileSystem = await Blocking.run { Self.fileSystem(on: device, at: start) }
        return .with {
            $0.device = device
            $0.number = number
            $0.startBytes = start
            $0.sizeBytes = size
            $0.partitionType = Self.simpleType
            $0.partitionGuid = volume.guid
            $0.partitionLabel = printable(name.utf8.prefix(64))
            $0.fileSystem = fileSystem
        }
    }

    private func bytes(_ one: UInt64, _ other: UInt64) -> UInt64? {
        let (sum, overflow) = one.addingReportingOverflow(other)
        let (bytes, tooLarge) = sum.multipliedReportingOverflow(by: Self.sectorBytes)
        return overflow || tooLarge ? nil : bytes
    }

    /// Windows encrypts no dynamic volume.
    private static func fileSystem(on device: String, at offset: UInt64) -> String {
        guard let disk = try? Descriptor.open(device, O_RDONLY), let sector = disk.bytes(at: offset, count: 512) else {
            return ""
        }
        return sector[3..<11].elementsEqual("NTFS    ".utf8) ? "ntfs" : ""
    }

    private func ask<Answer: Decodable>(_ disk: Salvor_V1_Disk, _ words: [String]) async -> Answer? {
        // Names come from the disk: none of them may be an option.
        guard !words.contains(where: { $0.hasPrefix("-") || $0.isEmpty }),
            let result = try? await tools.runConfined(tools.ldmtool, ["-d", disk.device] + words), result.exitCode == 0
        else { return nil }
        return try? JSONDecoder().decode(Answer.self, from: Data(result.output))
    }
}

extension Salvor_V1_Volume {
    var isDynamicSimple: Bool { partitionType == DynamicVolumes.simpleType }

    /// The device mapper's view of a dynamic volume: where it lies on its disk.
    var linearTarget: DeviceMapper.Target {
        DeviceMapper.Target(
            start: 0, count: sizeBytes / 512, kind: "linear",
            parameters: SecretBytes(Array("\(device) \(startBytes / 512)".utf8)))
    }
}
