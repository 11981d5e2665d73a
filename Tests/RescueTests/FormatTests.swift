import Fixtures
import SalvorImage
import Subprocess
import SystemPackage
import Testing

extension FirstLane {
    struct Formats {
        /// An image, and the program that is no part of QEMU and reads it too.
        private static let kinds = [
            (name: "fixed", format: "vhd", driver: "vpc", options: "subformat=fixed,force_size=on", reader: "vhdiinfo"),
            (
                name: "dynamic", format: "vhd", driver: "vpc", options: "subformat=dynamic,force_size=on",
                reader: "vhdiinfo"
            ),
            (name: "hyper-v", format: "vhdx", driver: "vhdx", options: "subformat=dynamic", reader: "vhdiinfo"),
            (name: "vmware", format: "vmdk", driver: "vmdk", options: "subformat=monolithicSparse", reader: "vmdkinfo"),
        ]

        @Test(
            "Disks of Hyper-V's and VMware's formats are repaired, boot, and stay what they are for their other readers"
        )
        func foreignFormats() async throws {
            try await Lab.run { lab in
                var machines: [LabMachine] = []
                let raw = lab.folder.appending("broken.raw")
                try await DiskMaker().make(BrokenWindows().disk, at: raw)
                for kind in Self.kinds {
                    let disk = lab.disks.appending("\(kind.name).\(kind.format)")
                    try await DiskMaker().convert(
                        raw, from: "raw", to: disk, format: kind.driver, options: kind.options)
                    machines.append(try await lab.define(kind.name, disk: disk, format: kind.format))
                }
                let result = try await lab.rescue(Self.kinds.map(\.name))
                #expect(result.status == 0, "\(result.errors)")
                let answer = try RunAnswer(result)
                for (kind, machine) in zip(Self.kinds, machines) {
                    #expect(answer.kinds[kind.name] == "repaired")
                    #expect(try machine.diskIsUnchanged)
                    let copies = try lab.copies(of: machine)
                    #expect(copies.count == 1)
                    let copy = lab.disks.appending(try #require(copies.first))
                    #expect(copy.extension == kind.format)
                    let size = try #require(Posix.sizeAndModification(raw)).bytes
                    let seen = try await Command.run(
                        FilePath("/usr/bin/\(kind.reader)"), [copy.string], environment: [:], in: lab.folder,
                        timeout: .seconds(30))
                    #expect(seen.status == 0, "\(seen.errors)")
                    #expect(seen.output.contains("(\(size) bytes)"), "\(seen.output)")
                }
                #expect(lab.leftovers() == [])
            }
        }
    }
}
