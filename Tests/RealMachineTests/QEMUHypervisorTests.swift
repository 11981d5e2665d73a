import Fixtures
import Logging
import SalvorImage
import SalvorQEMU
import SystemPackage
import Testing

@testable import AzureEmulator

/// The emulator's hypervisor with guests that start, without requests.
@Suite("Machines in QEMU", .serialized, .enabled(if: qemuInstalled, "needs QEMU"))
struct QEMUHypervisorTests {
    private let id = "0f5a4c1e-1111-4111-8111-0123456789ab"

    private struct Ground {
        let contents: DiskContents
        let hypervisor: QEMUHypervisor

        init(_ place: Workplace, ports: [Int] = [], isReady: (@Sendable (String) -> Bool)? = nil) throws {
            contents = try DiskContents(folder: place.root.appending("disks").string)
            hypervisor = QEMUHypervisor(
                .init(
                    folder: place.root.appending("machines"), contents: contents, reachablePorts: ports,
                    isReady: isReady))
        }

        /// Gives a content the bytes of a guest's disk.
        func fill(_ content: String, from disk: FilePath) throws {
            try Posix.rename(disk, to: FilePath(contents.path(content)))
        }

        func line(_ text: String, of id: String) async throws {
            let deadline = ContinuousClock.now + .seconds(120)
            while true {
                let log = String(decoding: await hypervisor.consoleLog(id), as: UTF8.self)
                if log.contains(text) { return }
                guard ContinuousClock.now < deadline else {
                    throw ARMError(500, "NoSuchLine", "no “\(text)” on the console: \(log)")
                }
                try await Task.sleep(for: .milliseconds(50))
            }
        }

        /// Waits for an event, in whatever others it comes among.
        func wait(for event: MachineEvent) async throws {
            let hypervisor = hypervisor
            let seen = await within(.seconds(120)) { await hypervisor.events.contains(event) }
            try #require(seen == true, "\(event)")
        }
    }

    private func machine(_ os: String, _ dataDisks: [Int: Int64] = [:]) -> RealMachine {
        RealMachine(
            id: id, name: "vm", generation: .second, osDisk: .init(content: os, bytes: Int64(AzureGuest.diskBytes)),
            dataDisks: dataDisks.reduce(into: [:]) { $0[$1.key] = .init(content: "data\($1.key)", bytes: $1.value) },
            hardwareAddress: "00-0D-3A-12-34-56")
    }

    private func place(_ body: (Workplace) async throws -> Void) async throws {
        try await Workplace.with { place in
            do {
                try await body(place)
            } catch {
                try await QEMUMachine.end(in: MachineFolder(place.root.appending("machines").appending(id)))
                throw error
            }
            #expect(await !QEMUMachine.isRunning(in: MachineFolder(place.root.appending("machines").appending(id))))
        }
    }

    @Test("Disks come and go while it runs, and for another OS disk it is started anew")
    func adjust() async throws {
        try await place { place in
            let ground = try Ground(place) { $0.contains("GUEST marker=second") }
            for name in ["first", "second"] { try ground.fill(name, from: try await place.guestDisk(name)) }
            let hypervisor = ground.hypervisor
            // Whoever does not run needs no disks.
            try await hypervisor.adjust(machine("first"))
            try await hypervisor.start(machine("first", [3: 4 << 20]))
            try await hypervisor.start(machine("first", [3: 4 << 20]))
            try await ground.line("GUEST marker=first firmware=UEFI", of: id)
            try await ground.line("LUN=3 size=\(4 << 20)", of: id)
            try await hypervisor.adjust(machine("first", [0: 8 << 20, 63: 12 << 20]))
            try await ground.line("LUN=3 gone", of: id)
            try await ground.line("LUN=0 size=\(8 << 20)", of: id)
            try await ground.line("LUN=63 size=\(12 << 20)", of: id)
            #expect(Array(try #require(try await hypervisor.screenshot(id)).prefix(4)) == [0x89, 0x50, 0x4E, 0x47])

            try await hypervisor.adjust(machine("second", [0: 8 << 20]))
            try await ground.line("GUEST marker=second firmware=UEFI", of: id)
            try await ground.line("LUN=0 size=\(8 << 20)", of: id)
            try await ground.wait(for: .ready(id))
            try await hypervisor.powerOff(id, gracefully: true)
            try await ground.line("GUEST is shutting down", of: id)
            #expect(await !hypervisor.isRunning(id))
            #expect(try await hypervisor.screenshot(id) == nil)
            #expect(await hypervisor.known() == [id])
            try await hypervisor.remove(id)
            #expect(await hypervisor.known().isEmpty)
        }
    }

    @Test("A disk that another machine writes to cannot be had, and the error says so")
    func locked() async throws {
        try await place { place in
            let ground = try Ground(place)
            try ground.fill("first", from: try await place.guestDisk("first"))
            try await ground.hypervisor.start(machine("first"))
            let other = RealMachine(
                id: "other", name: "rival", generation: .first, osDisk: machine("first").osDisk)
            do {
                try await ground.hypervisor.start(other)
                Issue.record("two machines write to one disk")
            } catch let error as ARMError {
                #expect(error.code == "AllocationFailed" && error.message.contains("rival"))
                #expect(error.message.contains("lock"))
            }
            #expect(await !ground.hypervisor.isRunning("other"))
            try await ground.hypervisor.powerOff(id, gracefully: false)
        }
    }

    @Test("A guest reaches the ports that it may, and a machine that is lost is told of")
    func reachable() async throws {
        try await place { place in
            let (ports, listening) = AsyncStream<Int>.makeStream()
            let emulator = try Emulator(
                EmulatorConfiguration(tenant: "t", subscriptions: [], applications: []), file: try StateFile(path: nil),
                tokenKey: Array(repeating: 7, count: 32), clock: WorldClock(), makeID: { "id" })
            let serving = Task {
                var quiet = Logger(label: "test")
                quiet.logLevel = .critical
                try await MetadataServer(emulator, machine: nil, logger: quiet).run(
                    on: .loopback(port: 0)
                ) { listening.yield($0) }
            }
            defer { serving.cancel() }
            let port = try #require(await ports.first { _ in true })
            let ground = try Ground(place, ports: [port])
            let address = "http://\(QEMUHypervisor.hostAddress):\(port)/metadata/versions"
            try ground.fill("first", from: try await place.guestDisk("first", fetching: address))
            try await ground.hypervisor.start(machine("first"))
            try await ground.line(#"GUEST fetched={"apiVersions":["#, of: id)
            #expect(try await QEMUMachine.end(in: MachineFolder(place.root.appending("machines").appending(id))))
            try await ground.wait(for: .ended(id))
            #expect(await !ground.hypervisor.isRunning(id))
        }
    }
}
