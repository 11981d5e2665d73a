import BootSectorGuests
import SalvorCoordinatorCore
import SalvorQEMU
import Synchronization
import SystemPackage
import Testing

@testable import SalvorLocal

@Suite("Start of a local rescue VM", .enabled(if: toolsInstalled, toolsReason))
struct HostStartTests {
    private let host = HostName(run: "r1", number: 1)
    private let silent = BootSector().halting()

    private func specification(_ provider: LocalProvider) -> HostSpecification {
        HostSpecification(
            name: host, coordinatorPort: 9, route: provider.route(toCoordinatorPort: 9), bootstrap: [1],
            machines: [Machine(name: "web", definition: "", osDisk: OSDisk(identifier: "", format: "raw"))])
    }

    @Test func `one that hangs at its first start is ended, and another is started`() async throws {
        try await TestInventory.with { test in
            let starts = Mutex(0)
            let good = BootSector().printing("salvor-init: up\n").halting().kernel
            let provider = try test.provider(
                {
                    $0.rescueStartLimits = [.seconds(1), .seconds(30)]
                    let make = $0.makeConfigDisk
                    $0.makeConfigDisk = { specification, disk in
                        try await make(specification, disk)
                        guard
                            starts.withLock({
                                $0 += 1; return $0
                            }) == 2
                        else { return }
                        try PosixFile.writeAtomically(good, to: test.root.appending("kernel"))
                    }
                }, kernel: silent)
            let made = try await provider.createHost(specification(provider))
            #expect(starts.withLock { $0 } == 2)
            let running = try #require(try await provider.running(host))
            #expect(made.details["process"] == "\(running.process.pid)")
            #expect(await running.console.lastLines(1).first?.hasPrefix("salvor-init:") == true)
            try await provider.deleteHost(named: host)
        }
    }

    @Test func `one that never comes up is given up, with how often it was tried and what it printed`() async throws {
        try await TestInventory.with { test in
            let provider = try test.provider(
                { $0.rescueStartLimits = [.seconds(1), .seconds(2)] },
                kernel: BootSector().printing("no root\n").halting())
            let error = await #expect(throws: ProviderError.self) {
                try await provider.createHost(specification(provider))
            }
            #expect(error?.code == .timedOut)
            #expect(error?.message.contains("started 2 times") == true)
            #expect(error?.message.contains("no root") == true)
            try await provider.deleteHost(named: host)
            #expect(try await provider.resources(ofRun: "r1").isEmpty)
        }
    }

    @Test func `one that ends while it starts is not started again`() async throws {
        try await TestInventory.with { test in
            let provider = try test.provider(kernel: BootSector().printing("panic\n").poweringOff())
            let error = await #expect(throws: ProviderError.self) {
                try await provider.createHost(specification(provider))
            }
            #expect(error?.message.contains("ended while it was starting") == true)
            #expect(error?.message.contains("panic") == true)
            try await provider.deleteHost(named: host)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `a start that is cancelled does not wait for its limit, and what it started can be found`() async throws {
        try await TestInventory.with { test in
            let provider = try test.provider({ $0.rescueStartLimits = [.seconds(3600)] }, kernel: silent)
            let specification = specification(provider)
            let start = Task { try await provider.createHost(specification) }
            while provider.hosts.withLock({ $0[host] }) == nil { try await Task.sleep(for: .milliseconds(10)) }
            start.cancel()
            let error = await #expect(throws: ProviderError.self) { try await start.value }
            #expect(error?.message.contains("was cancelled") == true)
            #expect(try await provider.resources(ofRun: "r1").map(\.kind).contains(.rescueHost))
            try await provider.deleteHost(named: host)
            #expect(try await provider.resources(ofRun: "r1").isEmpty)
        }
    }

    @Test func `what it printed is saved, before it is ended`() async throws {
        try await TestInventory.with { test in
            let provider = try test.provider(kernel: BootSector().printing("salvor-init: up\n").halting())
            let made = try await provider.createHost(specification(provider))
            #expect(await provider.saveConsole(of: made, to: test.console))
            let saved = try PosixFile.read(FilePath(test.console))
            #expect(String(decoding: saved, as: UTF8.self).contains("salvor-init:"))
            try await provider.deleteHost(named: host)
            #expect(await provider.saveConsole(of: made, to: test.console) == false)
        }
    }
}
