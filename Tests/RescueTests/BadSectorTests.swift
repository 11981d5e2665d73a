import Fixtures
import SalvorImage
import SystemPackage
import Testing

extension FirstLane {
    /// Disks whose storage fails.
    struct BadSectors {
        /// The image is of compressed clusters, of which one is garbage: QEMU answers the guest's read of it with an error, as
        /// a disk with bad sectors does.
        @Test(
            "Bad sectors under a file that the recipe reads fail the machine, with the place named and the original whole"
        )
        func inFile() async throws {
            try await Lab.run { lab in
                let raw = lab.folder.appending("whole.raw")
                let windows = BrokenWindows {
                    $0.sizeBytes = 96 << 20
                    $0.otherFiles = 10
                }
                try await DiskMaker().make(windows.disk, at: raw)
                let file = try #require(windows.windowsFiles.first { $0.path.contains("C-00000291-00000000-00000032") })
                let content = try #require(file.bytes)
                let whole = try Posix.read(raw)
                let pattern = Array(content[8192..<8224])
                let places = whole.indices(of: pattern)
                let place = try #require(places.first)
                #expect(places.count == 1)

                let disk = lab.disks.appending("bad.qcow2")
                try await ToolRunner().output("qemu-img", ["convert", "-c", "-O", "qcow2", raw.string, disk.string])
                try await damageCluster(of: disk, at: place)
                let machine = try await lab.define("bad", disk: disk, format: "qcow2")
                let result = try await lab.rescue(["bad"])
                let answer = try RunAnswer(result)
                #expect(answer.kinds == ["bad": "failed"], "\(answer.told)")
                let outcome = try #require(answer.machine("bad")?.outcome)
                let named = try #require(outcome.message.firstMatch(of: #/from byte (\d+) on/#), "\(answer.told)")
                // The kernel names where its failed request began: in the cluster, which has 64 KiB, or at most as much
                // before as a request is long.
                let first = try #require(Int(named.1))
                let end = (place / 65_536 + 1) * 65_536
                #expect((place - (2 << 20)..<end).contains(first), "\(first) \(place)")
                #expect(outcome.nextStep.contains("ddrescue"))
                #expect(try machine.diskIsUnchanged && machine.currentDefinition == machine.definitionText)
                #expect(try lab.copies(of: machine) == [])
                #expect(lab.leftovers() == [])
            }
        }

        /// Finds the compressed cluster that holds a guest's byte by qemu-img's own map, and fills it.
        private func damageCluster(of disk: FilePath, at place: Int) async throws {
            let bytes = try Posix.read(disk)
            func number(_ offset: Int, _ count: Int) -> Int {
                bytes[offset..<(offset + count)].reduce(0) { $0 << 8 | Int($1) }
            }
            let clusterBits = number(20, 4)
            let tables = number(40, 8)
            let perTable = 1 << (clusterBits - 3)
            let cluster = place >> clusterBits
            let table = number(tables + 8 * (cluster / perTable), 8) & 0x00FF_FFFF_FFFF_FE00
            let entry = bytes[(table + 8 * (cluster % perTable))..<(table + 8 * (cluster % perTable) + 8)]
                .reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            try #require(entry >> 62 & 1 == 1, "the cluster is not compressed")
            // docs/interop/qcow2.txt: bits 0 to x-1 are the offset, x = 62 - (cluster_bits - 8).
            let offset = Int(entry & (1 << UInt64(62 - (clusterBits - 8)) - 1))
            let file = try FileDescriptor.open(disk, .writeOnly)
            defer { try? file.close() }
            try file.writeAll(toAbsoluteOffset: Int64(offset), [UInt8](repeating: 0xFF, count: 64))
        }
    }
}

extension [UInt8] {
    /// Where a pattern begins.
    fileprivate func indices(of pattern: [UInt8]) -> [Int] {
        guard let first = pattern.first, count >= pattern.count else { return [] }
        var found: [Int] = []
        var index = startIndex
        while index <= count - pattern.count {
            if self[index] == first, self[index..<(index + pattern.count)].elementsEqual(pattern) {
                found.append(index)
            }
            index += 1
        }
        return found
    }
}
