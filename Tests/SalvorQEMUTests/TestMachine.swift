import BootSectorGuests
import SystemPackage
import Testing

@testable import SalvorQEMU

let qemuInstalled = (try? QEMUTools().system()) != nil && (try? QEMUTools().image()) != nil
let qemuReason: Comment = "needs qemu-system-x86_64 and qemu-img (Debian: qemu-system-x86, qemu-utils)"

/// A folder with a boot-sector disk, and whatever a test starts in it; ended and removed when the test is over.
struct TestMachine: Sendable {
    let root: FilePath
    var folder: MachineFolder { MachineFolder(root.appending("machine")) }

    static func with(_ guest: BootSector, _ body: (TestMachine) async throws -> Void) async throws {
        let machine = TestMachine(root: try TemporaryFolder.make(prefix: "qemu-test-"))
        try PosixFile.writeAtomically(guest.disk, to: machine.file("boot"))
        do {
            try await body(machine)
        } catch {
            try await machine.cleanUp()
            throw error
        }
        try await machine.cleanUp()
    }

    private func cleanUp() async throws {
        try await QEMUMachine.end(in: folder)
        try PosixFile.removeFolder(folder.path)
        try PosixFile.removeFolder(root)
    }

    func file(_ name: String) -> FilePath { root.appending(name) }

    /// An empty disk of 1 MiB.
    func disk(_ serial: String, readOnly: Bool = false) throws -> MachineDisk {
        let path = file("\(serial).raw")
        if !PosixFile.exists(path) {
            try PosixFile.writeAtomically([UInt8](repeating: 0, count: 1 << 20), to: path)
        }
        return try MachineDisk(file: path, format: .raw, readOnly: readOnly, serial: serial)
    }

    func commandLine(
        ports: Int = 0, restarts: Bool = false, network: UserNetwork? = nil
    ) throws -> QEMUCommandLine {
        QEMUCommandLine(
            name: "test", acceleration: .tcg(reason: "the same everywhere"), memoryMiB: 64, firmware: .bios,
            disks: [try MachineDisk(file: file("boot"), format: .raw, serial: "boot")], hotPlugPorts: ports,
            network: network, restartsAllowed: restarts)
    }

    func start(
        ports: Int = 0, restarts: Bool = false, paused: Bool = false, network: UserNetwork? = nil
    ) async throws -> QEMUMachine {
        try await QEMUMachine.start(
            commandLine(ports: ports, restarts: restarts, network: network), in: folder, paused: paused)
    }
}
