import BootSectorGuests
import SalvorCoordinatorCore
import SalvorQEMU
import SystemPackage
import Testing

@testable import SalvorLocal

let toolsInstalled =
    (try? QEMUTools().system()) != nil && (try? QEMUTools().image()) != nil
    && (try? QEMUTools().find("socat", package: "socat")) != nil
let toolsReason: Comment = "needs QEMU and socat (Debian: qemu-system-x86, qemu-utils, socat)"

/// An inventory of one machine whose disk is a boot sector, and a provider over it; all is gone after the test.
struct TestInventory: Sendable {
    let root: FilePath
    var inventory: FilePath { root.appending("inventory") }
    var state: FilePath { root.appending("state") }
    var disk: FilePath { inventory.appending("disk.raw") }
    var definition: FilePath { inventory.appending("web.yaml") }
    var console: String { root.appending("console.log").string }

    static func with(
        _ guest: BootSector = BootSector().printing("ready\n").awaitingPowerButton().poweringOff(),
        probe: String = "{serial: \"^ready$\", timeout_seconds: 60}",
        _ body: (TestInventory) async throws -> Void
    ) async throws {
        let test = TestInventory(root: try TemporaryFolder.make(prefix: "local-test-"))
        try PosixFile.makeFolder(test.inventory)
        try PosixFile.writeAtomically(guest.disk, to: test.disk)
        try test.write(
            """
            # The web server.
            name: web
            disk: {path: disk.raw, format: raw}   # on the fast shelf
            firmware: bios
            memory_mib: 64
            boot_probe: \(probe)

            """)
        do {
            try await body(test)
        } catch {
            try await test.cleanUp()
            throw error
        }
        try await test.cleanUp()
    }

    func write(_ text: String, to name: String = "web.yaml") throws {
        try PosixFile.writeAtomically(text.utf8, to: inventory.appending(name))
    }

    func text() throws -> String { String(decoding: try PosixFile.read(definition), as: UTF8.self) }

    func provider(
        _ change: (inout LocalConfiguration) -> Void = { _ in }, kernel: BootSector? = nil
    ) throws -> LocalProvider {
        var image: LocalConfiguration.RescueImage?
        if let kernel {
            let path = root.appending("kernel")
            try PosixFile.writeAtomically(kernel.kernel, to: path)
            image = .init(kernel: path, initramfs: path)
        }
        var configuration = LocalConfiguration(
            inventory: inventory, stateFolder: state, rescueImage: image,
            accelerationCache: nil
        ) { specification, path in
            try PosixFile.writeAtomically(specification.bootstrap + [UInt8](repeating: 0, count: 1 << 20), to: path)
        }
        // Finding out takes seconds where KVM hangs, and has tests of its own.
        configuration.acceleration = .tcg(reason: "the same everywhere")
        configuration.powerOffGrace = .seconds(10)
        change(&configuration)
        return LocalProvider(configuration)
    }

    private func cleanUp() async throws {
        for path in Self.folders(below: state) { try await QEMUMachine.end(in: MachineFolder(path)) }
        try Self.remove(root)
    }

    static func folders(below path: FilePath) -> [FilePath] {
        let below = PosixFile.names(in: path).map { path.appending($0) }
        return [path] + below.flatMap { folders(below: $0) }
    }

    private static func remove(_ path: FilePath) throws {
        for name in PosixFile.names(in: path) {
            let child = path.appending(name)
            // A folder cannot be unlinked.
            if (try? PosixFile.remove(child)) == nil { try remove(child) }
        }
        try PosixFile.removeFolder(path)
    }
}
