import Fixtures
import SalvorImage
import SystemPackage
import Testing

extension SecondLane {
    /// Dynamic disks, whose simple volumes ldmtool finds and the device mapper shows.
    struct DynamicDisks {
        @Test(
            "Windows on a simple volume of a dynamic disk is repaired, and nothing outside that volume changes",
            arguments: [DiskSpec.Table.dynamicMBR, .dynamicGPT])
        func simple(table: DiskSpec.Table) async throws {
            try await Lab.run { lab in
                let windows = BrokenWindows { $0.otherFiles = 10 }
                var spec = DiskSpec(
                    sizeBytes: 96 << 20,
                    partitions: [
                        PartitionSpec(
                            name: "Data", type: .basicData, guid: GUID("5a1f0291-0000-4000-8000-000000000d01"),
                            sizeBytes: 20 << 20,
                            content: .ntfs(
                                NTFSSpec(label: "Data", files: [FileSpec("a.bin", .noise(seed: 7, count: 5000))]))),
                        PartitionSpec(
                            name: "C", type: .basicData, guid: GUID("5a1f0291-0000-4000-8000-000000000d02"),
                            sizeBytes: 60 << 20, content: .ntfs(NTFSSpec(files: windows.windowsFiles, state: .logOpen))),
                    ])
                spec.table = table
                let disk = lab.disks.appending("dynamic.raw")
                try await DiskMaker().make(spec, at: disk)
                let machine = try await lab.define("dynamic", disk: disk)
                // The stand-in for Windows knows no dynamic disks, so it is not started.
                let created = try await lab.step("create", "-n", "dynamic", "--inventory", lab.inventory.string)
                #expect(created.status == 0, "\(created.errors)")
                let repaired = try RunAnswer(try await lab.step("run", "-n", "dynamic", "--yes"))
                #expect(repaired.kinds == ["dynamic": "copyRepaired"], "\(repaired.told)")
                let log = String(decoding: try Posix.read(FilePath(repaired.auditLog)), as: UTF8.self)
                #expect(log.split(separator: "\n").count { $0.contains("\"event\":\"fileDeleted\"") } == 1)
                #expect(log.contains("5a1f0291-0000-4000-8000-000000000d02"))

                // The rescue VM has the copy open, and has written all of it.
                let copy = lab.disks.appending(try #require(try lab.copies(of: machine).first))
                let raw = lab.folder.appending("repaired.raw")
                try await ToolRunner().output(
                    "qemu-img", ["convert", "-U", "-O", "raw", copy.string, raw.string])
                let (before, after) = (try Posix.read(disk), try Posix.read(raw))
                let start = (table == .dynamicGPT ? 22 : 21) << 20
                let end = start + (60 << 20)
                #expect(before[..<start] == after[..<start])
                #expect(before[end...] == after[end...])
                #expect(before[start..<end] != after[start..<end])
                #expect(try machine.diskIsUnchanged)
                let back = try await lab.salvor("rollback", repaired.run, "--yes")
                #expect(back.status == 0, "\(back.errors)")
                #expect(lab.leftovers() == [])
            }
        }
    }
}
