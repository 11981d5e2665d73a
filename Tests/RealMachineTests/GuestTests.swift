import Fixtures
import SalvorQEMU
import SystemPackage
import Testing

/// What the emulator's machines are made of, without the emulator.
@Suite("The guest of the emulated Azure", .serialized, .enabled(if: qemuInstalled, "needs QEMU"))
struct GuestTests {
    private static let os = SCSIController(name: "os", slot: 9)
    private static let data = SCSIController(name: "data", slot: 10)

    enum Generation: String, CaseIterable { case v1, v2 }

    private func commandLine(
        _ generation: Generation, _ disk: FilePath, dataDisks: [MachineDisk] = []
    ) throws -> QEMUCommandLine {
        var line = QEMUCommandLine(
            name: "guest", acceleration: .tcg(reason: "the same everywhere"), memoryMiB: 512,
            firmware: generation == .v1 ? .bios : .debianUEFI,
            disks: [
                try MachineDisk(
                    file: disk, format: .raw, serial: "os",
                    bus: generation == .v1 ? .ide : .scsi(Self.os, lun: 0))
            ], graphics: true)
        line.dataDisks = dataDisks
        line.chipset = generation == .v1 ? .i440fx : .q35
        line.scsiControllers = generation == .v1 ? [Self.data] : [Self.os, Self.data]
        return line
    }

    private func awaitLine(_ text: String, on machine: QEMUMachine) async throws {
        let line = await within(.seconds(120)) { try? await machine.console.firstLine { $0.contains(text) } } ?? nil
        let seen = await machine.console.lastLines(20).joined(separator: "\n")
        try #require(line != nil, "no “\(text)” on the console: \(seen)")
    }

    @Test("One disk starts under BIOS and under UEFI, and the power button ends it", arguments: Generation.allCases)
    func starts(generation: Generation) async throws {
        try await Workplace.with { place in
            let disk = try await place.guestDisk("first")
            let machine = try await QEMUMachine.start(commandLine(generation, disk), in: place.machine("m"))
            let firmware = generation == .v1 ? "BIOS" : "UEFI"
            try await awaitLine(AzureGuest.line(marker: "first", firmware: firmware), on: machine)
            let screen = try await machine.screenshot()
            #expect(Array(screen.prefix(8)) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
            #expect(try await machine.shutDown(grace: .seconds(30)) == .poweredOff)
        }
    }

    @Test("A UEFI machine whose disk was swapped starts from the new one, and never from a data disk")
    func swap() async throws {
        try await Workplace.with { place in
            let disks = [try await place.guestDisk("first"), try await place.guestDisk("second")]
            for (index, marker) in ["first", "second"].enumerated() {
                let other = try MachineDisk(
                    file: disks[1 - index], format: .raw, serial: "other", bus: .scsi(Self.data, lun: 0))
                let machine = try await QEMUMachine.start(
                    commandLine(.v2, disks[index], dataDisks: [other]), in: place.machine("m"))
                try await awaitLine(AzureGuest.line(marker: marker, firmware: "UEFI"), on: machine)
                try await machine.quit()
            }
        }
    }

    @Test("The guest sees each SCSI disk at its LUN, from the start, plugged in and taken out")
    func disks() async throws {
        try await Workplace.with { place in
            let os = try await place.guestDisk("first")
            func disk(_ text: String, lun: Int) throws -> MachineDisk {
                try MachineDisk(
                    file: try place.dataDisk(text, bytes: (lun + 1) << 20), format: .raw, serial: text,
                    bus: .scsi(Self.data, lun: lun))
            }
            let early = try disk("early", lun: 3)
            let machine = try await QEMUMachine.start(commandLine(.v1, os, dataDisks: [early]), in: place.machine("m"))
            try await awaitLine("LUN=3 size=\(4 << 20) first=early", on: machine)
            let late = try disk("late", lun: 63)
            try await machine.attachDisk(late)
            try await machine.attachDisk(late)
            try await awaitLine("LUN=63 size=\(64 << 20) first=late", on: machine)
            #expect(try await machine.diskSerials(on: Self.data) == [3: "early", 63: "late"])
            let rival = try MachineDisk(
                file: try place.dataDisk("rival", bytes: 1 << 20), format: .raw, serial: "rival",
                bus: .scsi(Self.data, lun: 63))
            await #expect(throws: QEMUError(.conflict, "")) { try await machine.attachDisk(rival) }
            for (serial, lun) in [("late", 63), ("early", 3)] {
                try await machine.detachDisk(serial: serial, limit: .seconds(30))
                try await awaitLine("LUN=\(lun) gone", on: machine)
            }
            #expect(try await machine.diskSerials(on: Self.data) == [:])
            try await machine.quit()
        }
    }
}
