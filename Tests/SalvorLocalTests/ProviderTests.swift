import BootSectorGuests
import SalvorCoordinatorCore
import SalvorQEMU
import SystemPackage
import Testing

@testable import SalvorLocal

@Suite("Local provider", .enabled(if: toolsInstalled, toolsReason))
struct ProviderTests {
    private let name = CopyName(run: "r1", machine: "web")

    private func expect<Value>(
        _ code: ProviderError.Code, _ body: () async throws(ProviderError) -> Value,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        do throws(ProviderError) {
            _ = try await body()
            Issue.record("nothing was thrown", sourceLocation: sourceLocation)
        } catch {
            #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
        }
    }

    @Test("A copy is made once, is found again after a crash, and takes nothing that is not its own")
    func copy() async throws {
        try await TestInventory.with { test in
            let before = try PosixFile.read(test.disk, limit: 2 << 20)
            let provider = try test.provider()
            let machine = try await provider.machine(named: "web")
            let copy = try await provider.copyDisk(of: machine, to: name)
            #expect(copy.dependsOnOriginal)
            #expect(try await provider.copyDisk(of: machine, to: name) == copy)
            // Another process, after a crash: the same copy, and the lock again.
            #expect(try await test.provider().copyDisk(of: machine, to: name) == copy)
            #expect(
                try await DiskImage().info(FilePath(copy.disk.identifier), format: .qcow2).backingFile
                    == test.disk.string)
            #expect(
                try await provider.resources(ofRun: "r1") == [
                    ProviderResource(kind: .repairCopy, identifier: copy.disk.identifier)
                ])

            try await provider.deleteCopy(named: name)
            try await provider.deleteCopy(named: name)
            #expect(try await provider.resources(ofRun: "r1").isEmpty)
            #expect(PosixFile.names(in: test.inventory) == ["disk.raw", "web.yaml"])
            #expect(TestInventory.folders(below: test.state).allSatisfy { !$0.string.contains("r1") })

            try PosixFile.writeAtomically("mine".utf8, to: FilePath(copy.disk.identifier))
            await expect(.conflict) { () throws(ProviderError) in try await provider.copyDisk(of: machine, to: name) }
            #expect(try PosixFile.read(FilePath(copy.disk.identifier)) == Array("mine".utf8))
            #expect(try PosixFile.read(test.disk, limit: 2 << 20) == before)
        }
    }

    @Test("A crash between the record and the copy, or in the middle of the copy, is mended by asking again")
    func crashWhileCopying() async throws {
        try await TestInventory.with { test in
            let provider = try test.provider()
            let machine = try await provider.machine(named: "web")
            let file = LocalNames.copyFile(name, original: test.disk, format: .qcow2)
            try provider.state.write(
                CopyRecord(name: name, file: file, format: .qcow2, original: test.disk, dependsOnOriginal: true))
            try PosixFile.writeAtomically(
                "half".utf8, to: test.inventory.appending(".\(file.lastComponent!.string).new"))
            let copy = try await provider.copyDisk(of: machine, to: name)
            #expect(copy.disk.identifier == file.string)
            #expect(PosixFile.names(in: test.inventory).contains { $0.hasSuffix(".new") } == false)
            try await DiskImage().check(file)
        }
    }

    @Test("A full copy stands on its own and equals the original")
    func fullCopy() async throws {
        try await TestInventory.with { test in
            let provider = try test.provider({ $0.copyStyle = .full })
            let copy = try await provider.copyDisk(of: try await provider.machine(named: "web"), to: name)
            #expect(!copy.dependsOnOriginal)
            #expect(copy.disk.format == "raw")
            let original = try PosixFile.read(test.disk, limit: 2 << 20)
            #expect(try PosixFile.read(FilePath(copy.disk.identifier), limit: 2 << 20) == original)
        }
    }

    @Test("A swap is made and undone, each once, and never over somebody else's change")
    func swap() async throws {
        try await TestInventory.with { test in
            let text = try test.text()
            let provider = try test.provider()
            let machine = try await provider.machine(named: "web")
            let copy = try await provider.copyDisk(of: machine, to: name)
            let swap = try await provider.swap(machine, to: copy)
            let swapped = try test.text()
            #expect(try await provider.swap(machine, to: copy) == swap)
            #expect(try test.text() == swapped)
            #expect(swapped.contains("# on the fast shelf"))
            let now = try await provider.machine(named: "web")
            #expect(now.osDisk.identifier == copy.disk.identifier)
            #expect(now.details["original disk"] == test.disk.string)

            await expect(.conflict) { () throws(ProviderError) in try await provider.deleteCopy(named: name) }
            #expect(PosixFile.exists(FilePath(copy.disk.identifier)))

            try await provider.swapBack(swap)
            try await provider.swapBack(swap)
            #expect(try await provider.machine(named: "web") == machine)
            #expect(try test.text().contains("original_disk") == false)
            try test.write(text.replacing("disk.raw", with: "other.raw"))
            await expect(.conflict) { () throws(ProviderError) in try await provider.swap(machine, to: copy) }
            await expect(.conflict) { () throws(ProviderError) in try await provider.swapBack(swap) }
        }
    }

    @Test("Whoever reads the definition while it is swapped to and fro sees one disk or the other, never a mixture")
    func atomicSwap() async throws {
        try await TestInventory.with { test in
            let provider = try test.provider()
            let machine = try await provider.machine(named: "web")
            let copy = try await provider.copyDisk(of: machine, to: name)
            let file = test.definition
            let reader = Task.detached {
                var seen: Set<String> = []
                while !Task.isCancelled {
                    seen.insert(try DefinitionFile(path: file).read().disk.path.string)
                }
                return seen
            }
            for _ in 0..<100 {
                let swap = try await provider.swap(machine, to: copy)
                try await provider.swapBack(swap)
            }
            reader.cancel()
            let seen = try await reader.value
            #expect(seen.isSubset(of: [machine.osDisk.identifier, copy.disk.identifier]))
            #expect(PosixFile.names(in: test.inventory).allSatisfy { !$0.hasPrefix(".") })
        }
    }

    @Test("Preflight names the first thing that is in the way")
    func preflight() async throws {
        try await TestInventory.with { test in
            let halting = BootSector().halting()
            let provider = try test.provider(kernel: halting)
            let machine = try await provider.machine(named: "web")
            #expect(try await provider.preflight(machine).contains { $0.contains("no partition table") })
            let noImage = try test.provider()
            await expect(.imageMissing) { () throws(ProviderError) in try await noImage.preflight(machine) }
            let noTools = try test.provider({ $0.tools = QEMUTools(searchPath: ["/nowhere"]) }, kernel: halting)
            await expect(.toolMissing) { () throws(ProviderError) in try await noTools.preflight(machine) }
            let writer = try FileDescriptor.open(test.disk, .readWrite)
            await expect(.diskInUse) { () throws(ProviderError) in try await provider.preflight(machine) }
            try writer.close()
            try PosixFile.remove(test.disk)
            await expect(.diskMissing) { () throws(ProviderError) in try await provider.preflight(machine) }
        }
    }

    @Test("A rescue VM is made once, is found after a crash, takes disks, and leaves nothing")
    func host() async throws {
        try await TestInventory.with { test in
            let kernel = BootSector().printing("salvor-init: up\n").halting()
            let host = HostName(run: "r1", number: 1)
            let specification = HostSpecification(
                name: host, coordinatorPort: 9, route: try test.provider().route(toCoordinatorPort: 9),
                bootstrap: Array("secret".utf8),
                machines: Array(
                    repeating: Machine(name: "web", definition: "", osDisk: OSDisk(identifier: "", format: "raw")),
                    count: 2))
            var first: LocalProvider? = try test.provider(kernel: kernel)
            let machine = try await first!.machine(named: "web")
            let copy = try await first!.copyDisk(of: machine, to: name)
            let made = try await first!.createHost(specification)
            #expect(try await first!.createHost(specification) == made)
            #expect(specification.route.coordinator == "10.0.2.100:7443")
            let arguments = ProcessTable.arguments(ofPID: try #require(Int32(made.details["process"] ?? "")))
            #expect(!arguments.contains { $0.contains("secret") })
            // As after a crash: the process lives, the connection to it does not.
            first = nil

            let second = try test.provider(kernel: kernel)
            #expect(try await second.createHost(specification) == made)
            let address = try await second.attach(copy, to: made)
            #expect(try await second.attach(copy, to: made) == address)
            guard case .serial(let serial) = address else {
                Issue.record("an address of another kind: \(address)")
                return
            }
            #expect(MachineDisk.isSerial(serial))
            let running = try #require(try await second.running(host))
            #expect(try await running.diskSerials() == [serial, "salvor-config"].sorted())
            let kinds = try await second.resources(ofRun: "r1").map(\.kind)
            #expect(Set(kinds) == [.repairCopy, .rescueHost, .configDisk])

            try await second.deleteHost(named: host)
            try await second.deleteHost(named: host)
            #expect(!running.process.isRunning)
            #expect(try await second.resources(ofRun: "r1").map(\.kind) == [.repairCopy])
            try await second.detach(copy, from: made)
            await expect(.notFound) { () throws(ProviderError) in try await second.attach(copy, to: made) }
        }
    }

    @Test("Serials of different copies differ, also where run and machine only seem to")
    func serials() {
        let names = [("a", "bc"), ("ab", "c"), ("r1", "web"), ("r1", "Web")].map { CopyName(run: $0.0, machine: $0.1) }
        #expect(Set(names.map(LocalNames.serial)).count == names.count)
        #expect(LocalNames.component("../x").contains("/") == false)
        #expect(LocalNames.component("..") != "..")
    }

    @Test("Every prerequisite that is missing comes with what to do about it")
    func prerequisites() async throws {
        try await TestInventory.with { test in
            let found = try await test.provider(kernel: BootSector().halting()).prerequisites()
            #expect(found.first { $0.name == "qemu-img" }?.state == .present)
            #expect(found.first { $0.name == "rescue image" }?.state == .present)
            let missing = try await test.provider({
                $0.tools = QEMUTools(searchPath: ["/nowhere"])
                $0.inventory = "/no/such/inventory"
            }).prerequisites()
            #expect(missing.filter { $0.state == .missing }.count >= 7)
            #expect(missing.allSatisfy { $0.state == .present || $0.remedy != nil })
        }
    }
}
