import Fixtures
import SalvorDigest
import SalvorImage
import SystemPackage
import Testing

@Suite struct TreeSnapshotTests {
    private func disk(_ scratch: FilePath, _ name: String, _ change: (inout BrokenWindows) -> Void) async throws
        -> FilePath
    {
        let path = scratch.appending(name)
        let machine = BrokenWindows {
            $0.sizeBytes = 128 << 20
            $0.otherFiles = 30
            change(&$0)
        }
        try await DiskMaker().make(machine.disk, at: path)
        return path
    }

    private func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    @Test func `Content and times are on the volume as the fixture says, to 100 ns`() async throws {
        try await withScratch { scratch in
            let machine = BrokenWindows {
                $0.sizeBytes = 128 << 20
                $0.otherFiles = 30
            }
            let path = scratch.appending("disk.raw")
            try await DiskMaker().make(machine.disk, at: path)
            let before = try SHA256.digest(ofFile: path.string)
            let snapshot = try await TreeSnapshot.take(of: path)
            for file in machine.windowsFiles {
                let entry = try #require(snapshot.entries[file.path], "\(file.path)")
                #expect(entry.sha256 == SHA256.digest(of: file.bytes ?? []), "\(file.path)")
                let times = [file.times.created, file.times.modified, file.times.accessed].map(hex).joined()
                #expect(entry.times?.hasPrefix("0x" + times) == true, "\(file.path) \(entry.times ?? "none")")
            }
            #expect(machine.decoys.count == 7)
            let faulty = try #require(snapshot.entries["\(ChannelFile.folder)/\(ChannelFile.faulty)"])
            // 2024-07-19T04:09:12.3456789Z, by another calendar than ours.
            let seconds = try await ToolRunner().output("date", ["-u", "-d", "2024-07-19 04:09:12", "+%s"])
            let unix = try #require(UInt64(String(decoding: seconds, as: UTF8.self).filter(\.isNumber)))
            let expected = (unix + 11_644_473_600) * 10_000_000 + 3_456_789
            #expect(faulty.times?.dropFirst(2 + 16).prefix(16) == hex(expected)[...])
            #expect(try SHA256.digest(ofFile: path.string) == before)
        }
    }

    @Test func `Two disks from one seed hold the same, and one from another does not`() async throws {
        try await withScratch { scratch in
            let one = try await TreeSnapshot.take(of: disk(scratch, "one.raw") { $0.seed = 5 })
            let two = try await TreeSnapshot.take(of: disk(scratch, "two.raw") { $0.seed = 5 })
            let three = try await TreeSnapshot.take(of: disk(scratch, "three.raw") { $0.seed = 6 })
            #expect(one.entries.mapValues(\.sha256) == two.entries.mapValues(\.sha256))
            #expect(one.outside == two.outside)
            #expect(one.entries.mapValues(\.sha256) != three.entries.mapValues(\.sha256))
            #expect(one.outside != three.outside)
        }
    }

    @Test func `A changed byte, a new file, a file that is gone and a changed sector outside C: all show`() async throws
    {
        try await withScratch { scratch in
            let before = try await TreeSnapshot.take(of: disk(scratch, "one.raw") { _ in })
            var after = before
            after.entries["Windows/explorer.exe"]?.sha256 = SHA256.digest(of: [1])
            after.entries["Windows/new"] = after.entries["pagefile.sys"]
            after.entries["pagefile.sys"] = nil
            after.outside = SHA256.digest(of: [2])
            let expected: Set = [
                "changed: Windows/explorer.exe", "new: Windows/new", "gone: pagefile.sys",
                "changed: the disk outside C:",
            ]
            #expect(Set(before.differences(to: after)) == expected)
            #expect(before.differences(to: before) == [])

            let path = try await disk(scratch, "two.raw") { _ in }
            let untouched = try await TreeSnapshot.take(of: path)
            let file = try FileDescriptor.open(path, .writeOnly)
            // One byte of the EFI partition.
            try file.writeAll(toAbsoluteOffset: 30 << 20, [0x55])
            try file.close()
            #expect(
                untouched.differences(to: try await TreeSnapshot.take(of: path)) == ["changed: the disk outside C:"])
        }
    }

    @Test func `Obstacles are on the volume as Linux shows them`() async throws {
        try await withScratch { scratch in
            let twin = try await TreeSnapshot.take(of: disk(scratch, "twin.raw") { $0.obstacle = .caseTwin })
            #expect(twin.entries["Windows/System32/drivers/CrowdStrike"]?.kind == "d")
            #expect(twin.entries["Windows/System32/drivers/crowdstrike"]?.kind == "d")
            let symlink = try await TreeSnapshot.take(of: disk(scratch, "link.raw") { $0.obstacle = .symlink })
            #expect(symlink.entries["Windows/System32/drivers"]?.kind == "l")
            #expect(symlink.entries["Elsewhere/drivers/CrowdStrike/\(ChannelFile.faulty)"]?.kind == "f")
            let junction = try await TreeSnapshot.take(of: disk(scratch, "junction.raw") { $0.obstacle = .junction })
            #expect(junction.entries[ChannelFile.folder]?.kind == "l")
            #expect(junction.entries["Elsewhere/CrowdStrike/\(ChannelFile.faulty)"]?.kind == "f")
        }
    }

    @Test func `A disk that went through qcow2 and back is the same`() async throws {
        try await withScratch { scratch in
            let raw = try await disk(scratch, "one.raw") { _ in }
            let maker = DiskMaker()
            try await maker.convert(raw, to: scratch.appending("one.qcow2"), format: "qcow2")
            try await maker.convert(scratch.appending("one.qcow2"), to: scratch.appending("two.raw"), format: "raw")
            let before = try await TreeSnapshot.take(of: raw)
            #expect(before.differences(to: try await TreeSnapshot.take(of: scratch.appending("two.raw"))) == [])
        }
    }
}
