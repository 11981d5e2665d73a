import BootSectorGuests
import SalvorJSON
import SystemPackage
import Testing

@testable import SalvorQEMU

@Suite("Hot-plug", .enabled(if: qemuInstalled, qemuReason))
struct HotPlugTests {
    private let idle = BootSector().printing("READY\n").halting()

    /// Serials and files by QEMU's own account.
    private func seen(_ machine: QEMUMachine) async throws -> [String: String] {
        let devices = try await machine.monitor.execute("query-block").array ?? []
        var found: [String: String] = [:]
        for device in devices {
            guard let path = device["qdev"]?.string, let file = device["inserted"]?["file"]?.string else { continue }
            found[path.split(separator: "/").dropLast().last.map(String.init) ?? path] = file
        }
        return found
    }

    @Test("Disks are plugged in, and a repeat changes nothing")
    func attach() async throws {
        try await TestMachine.with(idle) { test in
            let machine = try await test.start(ports: 2)
            let first = try test.disk("first")
            try await machine.attachDisk(first)
            _ = try await machine.console.firstLine { $0 == "READY" }
            let second = try test.disk("second", readOnly: true)
            try await machine.attachDisk(second)
            try await machine.attachDisk(second)
            try await machine.attachDisk(first)

            #expect(try await machine.diskSerials() == ["boot", "first", "second"])
            let blocks = try await seen(machine)
            #expect(blocks["disk-first"] == first.file.string)
            #expect(blocks["disk-second"] == second.file.string)
        }
    }

    @Test("Disks that are plugged in at the same time each get a port of their own")
    func together() async throws {
        try await TestMachine.with(idle) { test in
            let machine = try await test.start(ports: 6)
            let disks = try (1...6).map { try test.disk("disk\($0)") }
            try await withThrowingTaskGroup { group in
                for disk in disks { group.addTask { try await machine.attachDisk(disk) } }
                try await group.waitForAll()
            }
            var buses: Set<String> = []
            for disk in disks {
                let answer = try await machine.monitor.execute(
                    "qom-get", ["path": .string("/machine/peripheral/\(disk.deviceID)"), "property": "parent_bus"])
                buses.insert(try #require(answer.string))
            }
            #expect(buses.count == disks.count)
        }
    }

    @Test("A serial stays with its file, and a disk beyond the last port leaves its file unlocked")
    func conflicts() async throws {
        try await TestMachine.with(idle) { test in
            let machine = try await test.start(ports: 1)
            try await machine.attachDisk(test.disk("one"))
            let other = try test.disk("other")
            let imposter = try MachineDisk(file: other.file, format: .raw, serial: "one")
            await #expect(throws: QEMUError(.conflict, "")) { try await machine.attachDisk(imposter) }
            await #expect(throws: QEMUError(.conflict, "")) { try await machine.attachDisk(other) }
            let nodes = try await machine.monitor.execute("query-named-block-nodes", ["flat": true]).array ?? []
            #expect(!nodes.contains { $0["file"]?.string == other.file.string })
        }
    }

    @Test("A guest that does not let go is reported, and the disk is still there")
    func stubbornGuest() async throws {
        try await TestMachine.with(idle) { test in
            let machine = try await test.start(ports: 1)
            _ = try await machine.console.firstLine { $0 == "READY" }
            try await machine.attachDisk(test.disk("kept"))
            await #expect(throws: QEMUError(.guestKeepsDisk, "")) {
                try await machine.detachDisk(serial: "kept", limit: .milliseconds(300))
            }
            #expect(try await machine.diskSerials().contains("kept"))
            try await machine.detachDisk(serial: "never-was-there")
        }
    }

    @Test("A disk that another machine writes to cannot be plugged in")
    func lockedDisk() async throws {
        try await TestMachine.with(idle) { test in
            let machine = try await test.start(ports: 1)
            let disk = try test.disk("shared")
            try await machine.attachDisk(disk)
            try await TestMachine.with(idle) { other in
                let second = try await other.start(ports: 1)
                do {
                    try await second.attachDisk(disk)
                    Issue.record("two machines write to one disk")
                } catch let error as QEMUError {
                    #expect(error.code == .commandRefused)
                    #expect(error.message.contains("lock"))
                }
                #expect(try await second.diskSerials() == ["boot"])
            }
        }
    }
}
