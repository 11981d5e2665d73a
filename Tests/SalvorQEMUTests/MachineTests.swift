import BootSectorGuests
import Glibc
import SalvorJSON
import SystemPackage
import Testing

@testable import SalvorQEMU

@Suite("A QEMU machine", .enabled(if: qemuInstalled, qemuReason))
struct MachineTests {
    private let idle = BootSector().printing("READY\n").halting()

    @Test("What the guest prints is seen, from the first byte on and without polling")
    func console() async throws {
        try await TestMachine.with(BootSector().printing("one\nlogin: ").halting()) { test in
            let machine = try await test.start()
            let prompt = await within(.seconds(20)) { try? await machine.console.firstLine { $0 == "login: " } }
            #expect(prompt == "login: ")
            #expect(await machine.console.lastLines(5).suffix(2) == ["one", "login: "])
        }
    }

    @Test("Commands from many tasks get their own answers, and a refusal is typed")
    func commands() async throws {
        try await TestMachine.with(idle) { test in
            let machine = try await test.start()
            let monitor = machine.monitor
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<40 {
                    group.addTask {
                        if index.isMultiple(of: 2) {
                            return try await monitor.execute("query-name")["name"] == "test"
                        }
                        return try await monitor.execute("query-status")["status"] == "running"
                    }
                }
                for try await right in group { #expect(right) }
            }
            do {
                try await monitor.execute("no-such-command")
                Issue.record("QEMU took a command that does not exist")
            } catch let error as QEMUError {
                #expect(error.code == .commandRefused)
                #expect(error.qmpClass == "CommandNotFound")
                #expect(error.message.contains("no-such-command"))
            }
            #expect(monitor.version.split(separator: ".").count == 3)
        }
    }

    @Test("A second client is told that the control socket is taken")
    func secondClient() async throws {
        try await TestMachine.with(idle) { test in
            let machine = try await test.start()
            await #expect(throws: QEMUError(.monitorUnreachable, "")) {
                try await QMPClient.connect(to: machine.folder.monitor, limit: .milliseconds(200))
            }
        }
    }

    @Test("Commands after QEMU's end, and those waiting for it, fail instead of hanging")
    func closed() async throws {
        try await TestMachine.with(idle) { test in
            let machine = try await test.start()
            machine.process.signal(SIGKILL)
            #expect(await machine.process.waitForExit(atMost: .seconds(10)))
            await #expect(throws: (any Error).self) { try await machine.monitor.execute("query-status") }
            var events = machine.monitor.events().makeAsyncIterator()
            while await events.next() != nil {}
        }
    }

    @Test("The power button powers a guest off that listens to it")
    func powerButton() async throws {
        try await TestMachine.with(BootSector().awaitingPowerButton().poweringOff()) { test in
            let machine = try await test.start()
            // The button does nothing before the guest has enabled it, so it is pressed until it does.
            var ending: QEMUMachine.Ending?
            for _ in 0..<40 where ending == nil {
                _ = try? await machine.monitor.execute("system_powerdown")
                if await machine.process.waitForExit(atMost: .milliseconds(250)) { ending = .poweredOff }
            }
            #expect(ending == .poweredOff)
            #expect(try await machine.shutDown(grace: .zero) == .poweredOff)
        }
    }

    @Test("A guest that ignores the button is ended by QEMU, and one whose QEMU hangs by the kernel")
    func stubbornGuests() async throws {
        try await TestMachine.with(idle) { test in
            let machine = try await test.start()
            #expect(try await machine.shutDown(grace: .milliseconds(100)) == .quit)
            #expect(!machine.process.isRunning)

            let stopped = try await test.start()
            stopped.process.signal(SIGSTOP)
            #expect(try await stopped.quit() == .killed)
            #expect(!stopped.process.isRunning)
        }
    }

    @Test("A machine is found again by its folder alone, even without its process file")
    func foundAgain() async throws {
        try await TestMachine.with(idle) { test in
            let first = try await test.start()
            // As after a crash: the connection is gone, the process is not.
            first.monitor.close()
            let pid = first.process.pid
            let second = try #require(try await QEMUMachine.find(in: test.folder))
            #expect(second.process.pid == pid)
            #expect(second.uuid == first.uuid)
            second.monitor.close()

            try PosixFile.remove(test.folder.pidFile)
            let third = try #require(try await QEMUMachine.find(in: test.folder))
            #expect(third.process.pid == pid)
            third.monitor.close()

            await #expect(throws: QEMUError(.alreadyRunning, "")) { try await test.start() }
            #expect(try await QEMUMachine.end(in: test.folder))
            #expect(try await QEMUMachine.find(in: test.folder) == nil)
            #expect(try await QEMUMachine.end(in: test.folder) == false)
        }
    }

    @Test("A process file that names somebody else gets nobody signalled")
    func staleProcessFile() async throws {
        try await TestMachine.with(idle) { test in
            let machine = try await test.start()
            try await machine.quit()
            try PosixFile.writeAtomically("\(getpid())\n".utf8, to: test.folder.pidFile)
            #expect(try await QEMUMachine.end(in: test.folder) == false)
            #expect(await QEMUMachine.isRunning(in: test.folder) == false)
        }
    }

    @Test("A machine whose QEMU hangs is ended by its folder")
    func hungMachine() async throws {
        try await TestMachine.with(idle) { test in
            let machine = try await test.start()
            machine.process.signal(SIGSTOP)
            #expect(try await QEMUMachine.end(in: test.folder))
            #expect(!machine.process.isRunning)
        }
    }

    @Test("A folder deeper than a socket's address does no harm")
    func longPath() async throws {
        try await TestMachine.with(idle) { test in
            let folder = MachineFolder(test.root.appending(String(repeating: "d", count: 120)))
            let machine = try await QEMUMachine.start(test.commandLine(), in: folder)
            #expect(try await machine.monitor.execute("query-status")["status"] == "running")
            try await machine.quit()
            try PosixFile.removeFolder(folder.path)
        }
    }

    @Test("Why QEMU did not start is said in QEMU's words, without waiting for the limit")
    func startFailure() async throws {
        try await TestMachine.with(idle) { test in
            var line = try test.commandLine()
            line.disks = [try MachineDisk(file: test.file("absent"), format: .raw, serial: "s")]
            do {
                _ = try await QEMUMachine.start(line, in: test.folder)
                Issue.record("QEMU started without its disk")
            } catch let error as QEMUError {
                #expect(error.code == .startFailed)
                #expect(error.message.contains("absent"))
            }
        }
    }

    @Test("A missing QEMU is named with the package that brings it")
    func toolMissing() async throws {
        try await TestMachine.with(idle) { test in
            do {
                _ = try await QEMUMachine.start(
                    test.commandLine(), in: test.folder, tools: QEMUTools(searchPath: ["/nowhere"]))
                Issue.record("started without QEMU")
            } catch let error as QEMUError {
                #expect(error.code == .toolMissing)
                #expect(error.message.contains("qemu-system-x86"))
            }
        }
    }

    @Test("A guest that restarts ends QEMU where restarts are not allowed, and is told of where they are")
    func restarts() async throws {
        try await TestMachine.with(BootSector().printing("again\n").restarting()) { test in
            let once = try await test.start()
            #expect(await once.process.waitForExit(atMost: .seconds(20)))

            let looping = try await test.start(restarts: true, paused: true)
            let events = looping.monitor.events()
            try await looping.run()
            let resets = await within(.seconds(20)) {
                var count = 0
                for await event in events where event.name == "RESET" && event.data["guest"] == true {
                    count += 1
                    if count == 3 { break }
                }
                return count
            }
            #expect(resets == 3)
        }
    }
}
