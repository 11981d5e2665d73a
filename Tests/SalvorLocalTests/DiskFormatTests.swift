import SalvorCoordinatorCore
import SalvorQEMU
import Subprocess
import SystemPackage
import Testing

@testable import SalvorLocal

/// Disks of other programs' formats: VHD, VHDX, VMDK.
@Suite("Disks in the formats of Hyper-V and VMware", .enabled(if: toolsInstalled, toolsReason))
struct DiskFormatTests {
    /// What qemu-img makes of a raw disk.
    struct Kind: Sendable, CustomTestStringConvertible {
        var format: MachineDisk.Format
        var options: String?
        var testDescription: String { "\(format) \(options ?? "")" }

        static let writable = [
            Kind(format: .vhd, options: "subformat=fixed,force_size=on"),
            Kind(format: .vhd, options: "subformat=dynamic"),
            Kind(format: .vhd, options: "subformat=dynamic,force_size=on"),
            Kind(format: .vhdx, options: "subformat=dynamic"), Kind(format: .vhdx, options: "subformat=fixed"),
            Kind(format: .vmdk, options: "subformat=monolithicSparse,adapter_type=lsilogic"),
        ]
    }

    private func make(_ kind: Kind, from raw: FilePath, at path: FilePath) async throws {
        try await qemuImage(
            ["convert", "-f", "raw", "-O", kind.format.driver] + (kind.options.map { ["-o", $0] } ?? [])
                + [raw.string, path.string])
    }

    private func qemuImage(_ arguments: [String]) async throws {
        let result = try await run(
            .path(try QEMUTools().image()), arguments: Arguments(arguments), output: .discarded,
            error: .string(limit: 1 << 16))
        try #require(result.terminationStatus.isSuccess, "\(result.standardError)")
    }

    private func failure(_ path: FilePath, _ format: MachineDisk.Format) async -> ProviderError? {
        do {
            _ = try await DiskCheck(image: DiskImage()).check(.init(path: path, format: format))
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "A copy is of the same format, stands on its own, and holds what the original holds", arguments: Kind.writable)
    func copy(kind: Kind) async throws {
        try await TestInventory.with { test in
            let disk = test.inventory.appending("disk.\(kind.format.rawValue)")
            try await make(kind, from: test.disk, at: disk)
            try test.write(
                try test.text().replacing("disk.raw", with: "disk.\(kind.format.rawValue)")
                    .replacing("format: raw", with: "format: \(kind.format.rawValue)"))
            let before = try PosixFile.read(disk, limit: 64 << 20)
            let provider = try test.provider()
            let machine = try await provider.machine(named: "web")
            let copy = try await provider.copyDisk(of: machine, to: CopyName(run: "r1", machine: "web"))
            #expect(copy.disk.format == kind.format.rawValue)
            #expect(!copy.dependsOnOriginal)
            let file = FilePath(copy.disk.identifier)
            try await DiskImage().check(file, format: kind.format)
            #expect(await failure(file, kind.format) == nil)
            #expect(try PosixFile.read(disk, limit: 64 << 20) == before)
            try await qemuImage([
                "compare", "-f", "raw", "-F", kind.format.driver, test.disk.string, file.string,
            ])
            if kind.format == .vmdk {
                let text = String(decoding: try PosixFile.read(file, limit: 16 << 10), as: UTF8.self)
                #expect(text.contains("SPARSE \"\(file.lastComponent!.string)\""))
                #expect(text.contains("ddb.adapterType = \"lsilogic\""))
            }
        }
    }

    @Test("A disk whose definition calls it raw is told by what it is", arguments: Kind.writable)
    func calledRaw(kind: Kind) async throws {
        try await TestInventory.with { test in
            let disk = test.root.appending("disk")
            try await make(kind, from: test.disk, at: disk)
            let error = try #require(await failure(disk, .raw))
            #expect(error.code == .invalidDefinition)
            #expect(error.nextStep.contains("format: \(kind.format.rawValue)"))
        }
    }

    @Test("What was cut short, scribbled over or is another format is refused", arguments: Kind.writable)
    func damaged(kind: Kind) async throws {
        try await TestInventory.with { test in
            let disk = test.root.appending("disk")
            try await make(kind, from: test.disk, at: disk)
            let whole = try PosixFile.read(disk, limit: 64 << 20)
            try PosixFile.writeAtomically(whole.prefix(600), to: disk)
            #expect(await failure(disk, kind.format)?.code == .diskDamaged)
            #expect(await failure(test.disk, kind.format)?.code == .diskDamaged)
        }
    }

    @Test(
        "A VHDX whose own log was not replayed is refused as it is, and taken once its copy was closed as the error says"
    )
    func openLog() async throws {
        try await TestInventory.with { test in
            let disk = test.root.appending("disk.vhdx")
            try await make(Kind(format: .vhdx, options: "subformat=dynamic"), from: test.disk, at: disk)
            #expect(await failure(disk, .vhdx) == nil)
            try PosixFile.writeAtomically(VHDXLog.leftOpen(try PosixFile.read(disk, limit: 64 << 20)), to: disk)
            let error = try #require(await failure(disk, .vhdx))
            #expect(error.code == .diskDamaged && error.message.contains("was not closed"), "\(error)")
            #expect(error.nextStep.contains("qemu-img check -r all COPY"))
            try await qemuImage(["check", "-q", "-r", "all", disk.string])
            #expect(await failure(disk, .vhdx) == nil)
            try await qemuImage(["compare", "-f", "raw", "-F", "vhdx", test.disk.string, disk.string])
        }
    }

    @Test("A VHD footer must be whole, and of a kind that is written")
    func footer() async throws {
        try await TestInventory.with { test in
            let disk = test.root.appending("disk.vhd")
            try await make(Kind.writable[0], from: test.disk, at: disk)
            let whole = try PosixFile.read(disk, limit: 64 << 20)
            let footer = whole.count - 512

            var wrong = whole
            wrong[footer + 20] ^= 1
            try PosixFile.writeAtomically(wrong, to: disk)
            #expect(await failure(disk, .vhd)?.message.contains("checksum") == true)

            try PosixFile.writeAtomically(whole.suffix(whole.count - 4096), to: disk)
            #expect(await failure(disk, .vhd)?.message.contains("are there") == true)

            var differencing = whole
            differencing[footer + 63] = 4
            var sum: UInt32 = 0
            for (index, byte) in differencing[footer...].enumerated() where !(64..<68).contains(index) {
                sum &+= UInt32(byte)
            }
            for index in 0..<4 {
                differencing[footer + 64 + index] = UInt8(truncatingIfNeeded: ~sum >> (24 - 8 * index))
            }
            try PosixFile.writeAtomically(differencing, to: disk)
            let error = await failure(disk, .vhd)
            #expect(error?.code == .unsupported)
            #expect(error?.message.contains("differencing") == true)
        }
    }

    @Test(
        "A VMDK in several files, or compressed, is refused with the command that converts it",
        arguments: [
            "monolithicFlat", "twoGbMaxExtentSparse", "streamOptimized",
        ])
    func otherVMDK(kind: String) async throws {
        try await TestInventory.with { test in
            let disk = test.root.appending("disk.vmdk")
            try await make(Kind(format: .vmdk, options: "subformat=\(kind)"), from: test.disk, at: disk)
            let error = await failure(disk, .vmdk)
            #expect(error?.code == .unsupported)
            #expect(error?.message.contains(kind) == true)
            #expect(error?.nextStep.contains("qemu-img convert") == true)
        }
    }
}

/// A VHDX as a machine leaves it that lost its power: its log has an entry that was not replayed. Source: [MS-VHDX] 2.2.2, 2.3.
private enum VHDXLog {
    private static let headers = [64 << 10, 128 << 10]
    private static let block = 4096

    static func leftOpen(_ whole: [UInt8]) -> [UInt8] {
        var file = whole
        func number(_ offset: Int, _ count: Int) -> Int {
            file[offset..<(offset + count)].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        func put(_ value: Int, _ count: Int, at offset: Int) {
            for index in 0..<count { file[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
        }
        func seal(_ offset: Int) {
            put(0, 4, at: offset + 4)
            put(Int(crc32c(file[offset..<(offset + block)])), 4, at: offset + 4)
        }
        // The newer header goes on in the older one's place, with a log of its own.
        let newer = number(headers[0] + 8, 8) > number(headers[1] + 8, 8) ? 0 : 1
        let header = headers[1 - newer]
        file.replaceSubrange(header..<(header + block), with: file[headers[newer]..<(headers[newer] + block)])
        put(number(header + 8, 8) + 1, 8, at: header + 8)
        let identifier = (1...16).map { UInt8($0) }
        file.replaceSubrange((header + 48)..<(header + 64), with: identifier)
        seal(header)
        let log = number(header + 72, 8)
        file.replaceSubrange(log..<(log + block), with: [UInt8](repeating: 0, count: block))
        file.replaceSubrange(log..<(log + 4), with: Array("loge".utf8))
        put(block, 4, at: log + 8)
        put(1, 8, at: log + 16)
        file.replaceSubrange((log + 32)..<(log + 48), with: identifier)
        put(whole.count, 8, at: log + 48)
        put(whole.count, 8, at: log + 56)
        seal(log)
        return file
    }

    private static func crc32c(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        ~bytes.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum >> 1 ^ (sum & 1 == 1 ? 0x82F6_3B78 : 0) }
        }
    }
}
