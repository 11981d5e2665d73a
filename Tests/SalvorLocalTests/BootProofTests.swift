import BootSectorGuests
import SalvorCoordinatorCore
import SalvorQEMU
import SystemPackage
import Testing

@testable import SalvorLocal

@Suite("Boot proof", .enabled(if: toolsInstalled, toolsReason))
struct BootProofTests {
    private func prove(_ test: TestInventory) async throws -> BootProof {
        let provider = try test.provider()
        let machine = try await provider.machine(named: "web")
        let before = try PosixFile.read(test.disk, limit: 2 << 20)
        let proof = try await provider.startAndProveBoot(machine, consoleLog: test.console)
        #expect(try PosixFile.read(test.disk, limit: 2 << 20) == before)
        #expect(await QEMUMachine.isRunning(in: provider.state.boot("web")) == false)
        #expect(!PosixFile.exists(provider.state.boot("web").path))
        #expect(PosixFile.exists(FilePath(test.console)))
        return proof
    }

    @Test("A machine that prints its line has booted, and is powered off afterwards")
    func booted() async throws {
        try await TestInventory.with { test in
            let proof = try await prove(test)
            #expect(proof.verdict == .booted)
            #expect(proof.evidence == "console line “ready”")
            #expect(String(decoding: try PosixFile.read(FilePath(test.console)), as: UTF8.self).contains("ready\n"))
        }
    }

    @Test("A machine that restarts again and again has failed, long before the deadline, and its last words are told")
    func restartLoop() async throws {
        try await TestInventory.with(BootSector().printing("STOP 0x50\n").restarting()) { test in
            let proof = try await prove(test)
            #expect(proof.verdict == .failed)
            #expect(proof.evidence.contains("restart loop: 3 restarts"))
            #expect(proof.evidence.contains("STOP 0x50"))
            #expect(proof.seconds < 50)
        }
    }

    @Test("A machine that powers itself off has failed")
    func poweredOff() async throws {
        try await TestInventory.with(BootSector().printing("bye\n").poweringOff()) { test in
            let proof = try await prove(test)
            #expect(proof.verdict == .failed)
            #expect(proof.evidence.contains("powered off (guest-shutdown)"))
        }
    }

    @Test("A machine that does nothing is not proven, and is ended")
    func silent() async throws {
        try await TestInventory.with(BootSector().halting(), probe: "{serial: ready, timeout_seconds: 1}") { test in
            let proof = try await prove(test)
            #expect(proof.verdict == .notProven)
            #expect(proof.evidence.contains("not ready within 1"))
        }
    }

    @Test("QEMU accepting a connection is no proof that the guest does")
    func closedPort() async throws {
        try await TestInventory.with(BootSector().halting(), probe: "{tcp: 22, timeout_seconds: 3}") { test in
            let proof = try await prove(test)
            #expect(proof.verdict == .notProven)
        }
    }

    @Test("A disk that something else uses is not started")
    func inUse() async throws {
        try await TestInventory.with { test in
            let provider = try test.provider()
            let machine = try await provider.machine(named: "web")
            let copy = try await provider.copyDisk(of: machine, to: CopyName(run: "r1", machine: "web"))
            _ = try await provider.swap(machine, to: copy)
            let other = try await QEMUMachine.start(
                QEMUCommandLine(
                    name: "other", acceleration: .tcg(reason: "test"), memoryMiB: 64, firmware: .bios,
                    disks: [MachineDisk(file: FilePath(copy.disk.identifier), format: .qcow2, serial: "d")]),
                in: MachineFolder(test.state.appending("other")), paused: true)
            await #expect(throws: ProviderError(.diskInUse, "", nextStep: "")) {
                try await provider.startAndProveBoot(machine, consoleLog: test.console)
            }
            try await other.quit()
            #expect(try await provider.startAndProveBoot(machine, consoleLog: test.console).verdict == .booted)
        }
    }
}
