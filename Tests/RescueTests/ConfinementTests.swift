import Fixtures
import SalvorImage
import Subprocess
import SystemPackage
import Testing

/// What the agent's program makes of itself for those that read disks. It needs no rescue VM: the agent that is in one is
/// the one that runs here.
struct ConfinementTests {
    private static func run(_ arguments: String...) async throws -> CommandResult {
        var agent = SalvorProgram.root.appending(".build/release/salvor-agent")
        if let named = Posix.environment("SALVOR_AGENT") { agent = FilePath(named) }
        return try await Command.run(
            agent, ["--confined"] + arguments, environment: [:], in: "/tmp", timeout: .seconds(30))
    }

    @Test("A confined program has four capabilities at most, gains none, and runs behind a filter")
    func rights() async throws {
        let result = try await Self.run("/bin/cat", "/proc/self/status")
        #expect(result.status == 0, "\(result.errors)")
        let lines = result.output.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
        func value(_ name: String) -> String? { lines.first { $0.first == name + ":" }?.last }
        #expect(value("NoNewPrivs") == "1")
        #expect(value("Seccomp") == "2")
        let capabilities = try #require(value("CapEff").flatMap { UInt64($0, radix: 16) })
        // CAP_DAC_OVERRIDE, CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN: linux/capability.h.
        #expect(capabilities & ~(1 << 1 | 1 << 6 | 1 << 7 | 1 << 21) == 0)
    }

    @Test("It has mounts of its own")
    func mounts() async throws {
        let result = try await Self.run("/bin/readlink", "/proc/self/ns/mnt")
        let ours = try Posix.destination(ofSymlink: "/proc/self/ns/mnt")
        #expect(result.status == 0 && result.output.hasPrefix("mnt:["), "\(result.errors)")
        #expect(!result.output.hasPrefix(ours))
    }

    @Test(
        "It makes no connection, no namespace, and no device",
        arguments: [
            "import socket; socket.socket()",
            "import ctypes, sys; sys.exit(0 if ctypes.CDLL(None).unshare(0x20000) == 0 else 1)",
            "import os; os.mknod('/tmp/salvor-device', 0o60600, os.makedev(7, 0))", "import os; os.chroot('/tmp')",
        ])
    func calls(script: String) async throws {
        let result = try await Self.run("/usr/bin/python3", "-c", script)
        #expect(result.status == 1, "\(result.output)\(result.errors)")
    }

    @Test("What is not there is told from what fails")
    func missing() async throws {
        #expect(try await Self.run("no-such-program").status == 127)
        #expect(try await Self.run("/bin/false").status == 1)
        #expect(try await Self.run().status == 64)
    }
}
