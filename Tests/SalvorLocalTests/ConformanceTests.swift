import BootSectorGuests
import ProviderConformance
import SalvorCoordinatorCore
import SalvorQEMU
import SystemPackage
import Testing

@testable import SalvorLocal

@Suite("Local provider conformance", .enabled(if: toolsInstalled, toolsReason))
struct ConformanceTests {
    @Test("It keeps every promise of a provider", arguments: Conformance.checks)
    func promise(check: Conformance.Check) async throws {
        try await TestInventory.with { test in
            let ground = try LocalGround(test)
            try await Conformance(ground).holds(check)
        }
    }
}

/// Two machines in an inventory, and a rescue image that comes up and sleeps.
private struct LocalGround: ConformanceGround {
    let test: TestInventory
    let machines = ["web", "shop"]
    // A boot sector does not answer when a disk is to be unplugged; the rescue image's own tests have one that does.
    let rescueGuestsLetGo = false
    var consoleLog: String { test.console }

    private var kernel: FilePath { test.root.appending("rescue-kernel") }

    init(_ test: TestInventory) throws {
        self.test = test
        try PosixFile.writeAtomically(BootSector().printing("salvor-init: up\n").halting().kernel, to: kernel)
        try PosixFile.writeAtomically(
            BootSector().printing("ready\n").awaitingPowerButton().poweringOff().disk,
            to: test.inventory.appending("shop.raw"))
        try test.write(
            try test.text().replacing("name: web", with: "name: shop").replacing("disk.raw", with: "shop.raw"),
            to: "shop.yaml")
    }

    func provider() async throws -> any Provider {
        try test.provider({ $0.rescueImage = .init(kernel: kernel, initramfs: kernel) })
    }

    private func definition(_ machine: String) -> FilePath { test.inventory.appending("\(machine).yaml") }

    func original(of machine: String) async throws -> String {
        let disk = test.inventory.appending(machine == "web" ? "disk.raw" : "shop.raw")
        return "\(try PosixFile.read(disk, limit: 2 << 20))"
    }

    func disk(of machine: String) async throws -> String {
        try DefinitionFile(path: definition(machine)).read().disk.path.string
    }

    func giveStrangersDisk(to machine: String) async throws {
        let text = String(decoding: try PosixFile.read(definition(machine)), as: UTF8.self)
        try test.write(text.replacing("disk.raw", with: "strangers.raw"), to: "\(machine).yaml")
    }

    /// Files of the inventory and of the state, and what runs.
    func everything() async throws -> Set<String> {
        let state = TestInventory.folders(below: test.state).map(\.string).filter { $0.contains("/hosts/") }
        return Set(PosixFile.names(in: test.inventory) + state)
    }
}
