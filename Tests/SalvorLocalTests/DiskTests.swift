import BootSectorGuests
import Glibc
import SalvorCoordinatorCore
import SalvorQEMU
import SystemPackage
import Testing

@testable import SalvorLocal

@Suite("Disks before they are touched", .enabled(if: toolsInstalled, toolsReason))
struct DiskTests {
    private func code(_ path: FilePath, _ format: MachineDisk.Format = .raw) async -> ProviderError.Code? {
        do {
            _ = try await DiskCheck(image: DiskImage()).check(.init(path: path, format: format))
            return nil
        } catch {
            return error.code
        }
    }

    /// A disk of `sectors` whose GPT says that it has `claimed`.
    private func gpt(sectors: Int, claimed: UInt64) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: sectors * 512)
        bytes.replaceSubrange(512..<520, with: Array("EFI PART".utf8))
        let last = claimed &- 1
        for index in 0..<8 { bytes[512 + 32 + index] = UInt8(truncatingIfNeeded: last >> (8 * UInt64(index))) }
        return bytes
    }

    @Test("A raw disk must be whole: sectors, length, and what its partition table says")
    func raw() async throws {
        try await TestInventory.with { test in
            let path = test.root.appending("d.raw")
            #expect(await code(path) == .diskMissing)
            #expect(await code(test.root) == .unsupported)
            for (bytes, expected) in [
                ([], ProviderError.Code.diskDamaged),
                ([UInt8](repeating: 0, count: 1000), .diskDamaged),
                ([UInt8](repeating: 0, count: 1024), nil),
                (gpt(sectors: 64, claimed: 64), nil),
                (gpt(sectors: 64, claimed: 65), .diskDamaged),
                (gpt(sectors: 64, claimed: 0), .diskDamaged),
                (gpt(sectors: 64, claimed: .max), .diskDamaged),
                (Array("QFI".utf8) + [0xFB] + [UInt8](repeating: 0, count: 508), .invalidDefinition),
            ] {
                try PosixFile.writeAtomically(bytes, to: path)
                #expect(await code(path) == expected, "\(bytes.count) bytes")
            }
        }
    }

    @Test("An MBR's partitions must fit, and a boot sector's code is no partition table")
    func masterBootRecord() {
        var bytes = BootSector().halting().disk
        #expect(PartitionExtent.bytes(head: bytes) == nil)
        bytes.replaceSubrange(446..<462, with: [0x80, 0, 0, 0, 7, 0, 0, 0, 0, 8, 0, 0, 0, 0x10, 0, 0])
        #expect(PartitionExtent.bytes(head: bytes) == UInt64(0x800 + 0x1000) * 512)
    }

    @Test("A qcow2 disk that was cut short or scribbled over is refused")
    func qcow2() async throws {
        try await TestInventory.with { test in
            let path = test.root.appending("d.qcow2")
            try await DiskImage().createOverlay(path, backing: test.disk, backingFormat: .raw)
            #expect(await code(path, .qcow2) == nil)
            var bytes = try PosixFile.read(path)
            let whole = bytes
            // The active level-1 table's offset, pointed beyond the file.
            bytes.replaceSubrange(40..<48, with: [0, 0, 0, 0x7F, 0, 0, 0, 0])
            try PosixFile.writeAtomically(bytes, to: path)
            #expect(await code(path, .qcow2) == .diskDamaged)
            try PosixFile.writeAtomically(whole.prefix(600), to: path)
            #expect(await code(path, .qcow2) == .diskDamaged)
            #expect(await code(test.disk, .qcow2) == .diskDamaged)
        }
    }

    @Test("An unreadable disk says so", .enabled(if: getuid() != 0, "root reads everything"))
    func unreadable() async throws {
        try await TestInventory.with { test in
            try PosixFile.writeAtomically(BootSector().disk, to: test.disk, mode: [])
            #expect(await code(test.disk) == .diskNotReadable)
        }
    }

    @Test("A disk that a QEMU writes to is refused, and QEMU is named")
    func usedByQEMU() async throws {
        try await TestInventory.with { test in
            let folder = MachineFolder(test.state.appending("other"))
            let machine = try await QEMUMachine.start(
                QEMUCommandLine(
                    name: "other", acceleration: .tcg(reason: "test"), memoryMiB: 64, firmware: .bios,
                    disks: [MachineDisk(file: test.disk, format: .raw, serial: "d")]), in: folder, paused: true)
            do throws(ProviderError) {
                _ = try DiskLock(test.disk)
                Issue.record("locked a disk that is in use")
            } catch {
                #expect(error.code == .diskInUse)
                #expect(error.message.contains("qemu"))
                #expect(error.message.contains("\(machine.process.pid)"))
            }
            try await machine.quit()
            _ = try DiskLock(test.disk)
        }
    }

    @Test("A disk that any program has open for writing is refused, one that is read is not")
    func usedByProgram() async throws {
        try await TestInventory.with { test in
            let reader = try FileDescriptor.open(test.disk, .readOnly)
            _ = try DiskLock(test.disk)
            try reader.close()
            let writer = try FileDescriptor.open(test.disk, .readWrite)
            do throws(ProviderError) {
                _ = try DiskLock(test.disk)
                Issue.record("locked a disk that is open for writing")
            } catch {
                #expect(error.code == .diskInUse)
                #expect(error.message.contains("process \(getpid())"))
            }
            try writer.close()
            _ = try DiskLock(test.disk)
        }
    }

    @Test("A locked original starts in no QEMU, but copies of it do, and two may hold the lock")
    func lockHolds() async throws {
        try await TestInventory.with { test in
            let overlay = test.root.appending("o.qcow2")
            try await DiskImage().createOverlay(overlay, backing: test.disk, backingFormat: .raw)
            let folder = MachineFolder(test.state.appending("other"))
            func start(_ file: FilePath, _ format: MachineDisk.Format) async throws(QEMUError) -> QEMUMachine {
                try await QEMUMachine.start(
                    QEMUCommandLine(
                        name: "other", acceleration: .tcg(reason: "test"), memoryMiB: 64, firmware: .bios,
                        disks: [try MachineDisk(file: file, format: format, serial: "d")]), in: folder, paused: true)
            }
            let lock = try DiskLock(test.disk)
            let second = try DiskLock(test.disk)
            await #expect(throws: QEMUError(.startFailed, "")) { try await start(test.disk, .raw) }
            try await start(overlay, .qcow2).quit()
            withExtendedLifetime((lock, second)) {}
        }
    }
}
