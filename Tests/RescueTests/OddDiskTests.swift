import Fixtures
import SalvorImage
import SystemPackage
import Testing

extension FirstLane {
    /// Disks that are laid out otherwise than a Gen2 machine's.
    struct OddDisks {
        private struct Case {
            var name: String
            var outcome = "repaired"
            var says = ""
            /// Faulty files that have to go.
            var deleted = 1
            var disk: DiskSpec
        }

        private static func windows(_ change: (inout BrokenWindows) -> Void = { _ in }) -> NTFSSpec {
            let windows = BrokenWindows {
                $0.otherFiles = 10
                change(&$0)
            }
            return NTFSSpec(files: windows.windowsFiles)
        }

        private static func partition(
            _ name: String, _ megabytes: Int?, type: GUID = .basicData, _ content: PartitionSpec.Content
        ) -> PartitionSpec {
            let digits = name.utf8.reduce(0) { ($0 * 31 + Int($1)) % 1_000_000 } + 1_000_000
            return PartitionSpec(
                name: name, type: type, guid: GUID("5a1f0291-0000-4000-8000-00000\(digits)"),
                sizeBytes: megabytes.map { $0 << 20 }, content: content)
        }

        private static func with4K(_ disk: DiskSpec) -> DiskSpec {
            var disk = disk
            disk.sectorBytes = 4096
            return disk
        }

        private static func disk(_ table: DiskSpec.Table, _ partitions: PartitionSpec...) -> DiskSpec {
            var spec = DiskSpec(sizeBytes: 96 << 20, partitions: partitions)
            spec.table = table
            return spec
        }

        /// Begins as a ReFS volume does.
        private static let refs: [Int: [UInt8]] = [
            0: [0, 0, 0] + Array("ReFS".utf8) + [0, 0, 0, 0] + [0, 0, 0, 0, 0] + Array("FSRS".utf8) + [0, 2, 0, 0]
        ]

        private static let data = NTFSSpec(
            label: "Data", files: [FileSpec("Photos/lake.jpg", .noise(seed: 7, count: 5000))])

        private let cases = [
            Case(
                name: "mbr",
                disk: disk(
                    .mbr, partition("System Reserved", 20, .ntfs(data)), partition("C", nil, .ntfs(windows())))),
            Case(
                name: "4kn",
                disk: with4K(disk(.gpt, partition("Data", 20, .ntfs(data)), partition("C", nil, .ntfs(windows()))))),
            Case(name: "whole-disk", disk: disk(.none, partition("C", nil, .ntfs(windows())))),
            Case(
                name: "two-windows", deleted: 2,
                disk: disk(
                    .gpt, partition("C", 45, .ntfs(windows())),
                    partition("D", nil, .ntfs(windows { $0.channelFiles = .onlyFaulty })))),
            Case(
                name: "not-on-c",
                disk: disk(
                    .gpt, partition("Data", 20, .ntfs(data)), partition("Recovery", 20, .ntfs(data)),
                    partition("E", nil, .ntfs(windows())))),
            Case(
                name: "efi-only", outcome: "notWindows", says: "volume 1 is FAT", deleted: 0,
                disk: disk(.gpt, partition("EFI", 40, type: .efiSystem, .fat(label: "SYSTEM", files: [])))),
            // NTFS lies at the beginning of the partition, and is not all there is of it.
            Case(
                name: "dynamic", outcome: "notWindows", says: "part of a dynamic disk (LDM)", deleted: 0,
                disk: disk(.gpt, partition("LDM data", nil, type: .logicalDiskManagerData, .ntfs(windows())))),
            Case(
                name: "dynamic-mbr", outcome: "notWindows", says: "part of a dynamic disk (LDM)", deleted: 0,
                disk: disk(.mbr, partition("LDM", nil, type: .logicalDiskManagerData, .ntfs(windows())))),
            Case(
                name: "pool", outcome: "notWindows", says: "part of a storage pool (Storage Spaces)", deleted: 0,
                disk: disk(.gpt, partition("Pool", nil, type: .storageSpaces, .none))),
            Case(
                name: "refs", outcome: "notWindows", says: "volume 1 is ReFS", deleted: 0,
                disk: disk(.gpt, partition("ReFS", nil, .raw(refs)))),
        ]

        @Test("Disks of every layout are repaired where Windows is on plain NTFS, and told by name where it is not")
        func layouts() async throws {
            try await Lab.run { lab in
                var machines: [String: LabMachine] = [:]
                for one in cases {
                    let disk = lab.disks.appending("\(one.name).raw")
                    try await DiskMaker().make(one.disk, at: disk)
                    machines[one.name] = try await lab.define(
                        one.name, disk: disk, sectorBytes: one.disk.sectorBytes)
                }
                let result = try await lab.rescue(cases.map(\.name))
                let answer = try RunAnswer(result)
                let log = String(decoding: try Posix.read(FilePath(answer.auditLog)), as: UTF8.self).split(
                    separator: "\n")
                for one in cases {
                    let outcome = try #require(answer.machine(one.name)?.outcome, "\(result.errors)")
                    #expect(outcome.kind == one.outcome, "\(one.name): \(outcome)")
                    #expect(one.says.isEmpty || outcome.message.contains(one.says), "\(one.name): \(outcome)")
                    #expect(one.outcome == "repaired" || !outcome.nextStep.isEmpty)
                    let machine = try #require(machines[one.name])
                    #expect(try machine.diskIsUnchanged)
                    let deleted = log.filter {
                        $0.contains("\"event\":\"fileDeleted\"") && $0.contains("\"machine\":\"\(one.name)\"")
                    }
                    #expect(deleted.count == one.deleted, "\(one.name): \(deleted)")
                    guard one.outcome == "repaired" else { continue }
                    try await checkTables(lab, machine, one.disk)
                }
                #expect(lab.leftovers() == [])
            }
        }

        /// What lies in front of the first partition is the same byte for byte.
        private func checkTables(_ lab: Lab, _ machine: LabMachine, _ spec: DiskSpec) async throws {
            guard spec.table != .none else { return }
            let copy = lab.disks.appending(try #require(try lab.copies(of: machine).first))
            let repaired = lab.folder.appending("repaired.raw")
            defer { Posix.removeTree(repaired) }
            try await DiskMaker().convert(copy, to: repaired, format: "raw")
            for range in [0..<(1 << 20), (spec.sizeBytes - (1 << 20))..<spec.sizeBytes] {
                #expect(try DiskBytes.read(machine.disk, range) == DiskBytes.read(repaired, range))
            }
        }
    }
}
