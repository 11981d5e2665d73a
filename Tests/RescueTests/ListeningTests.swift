import Fixtures
import Subprocess
import SystemPackage
import Testing

extension SecondLane {
    /// Protocol/SPEC.md R-4 and N-5 in a real rescue VM.
    struct Listening {
        private static let small = BrokenWindows {
            $0.sizeBytes = 128 << 20; $0.otherFiles = 20
        }

        @Test("With --listen salvor has no port open and dials the rescue VM, which shows a stranger nothing")
        func rescue() async throws {
            try await Lab.run { lab in
                let machine = try await lab.add("web-01", Self.small)
                let result = try await lab.rescue(["web-01"], extra: ["--yes", "--listen"]) { line, command in
                    guard line.contains("web-01: scan …") else { return }
                    #expect(ListeningSockets.of(process: command.pid) == [])
                    let host = try #require(lab.rescueHosts.first)
                    let sockets = ListeningSockets.of(process: host.pid)
                    try #require(sockets.count == 1, "\(sockets)")
                    #expect(sockets[0].isLoopback)
                    // While the coordinator has the agent, which goes on with its work.
                    let text = try await sockets[0].answerToSilence()
                    #expect(text.utf8.first == 0x16, "the hello of a TLS client, and not \(text.debugDescription)")
                    #expect(!text.contains("rescue-1"))
                }
                #expect(result.status == 0, "\(result.errors)")
                let answer = try RunAnswer(result)
                #expect(answer.kinds == ["web-01": "repaired"])
                #expect(try machine.diskIsUnchanged)
                #expect(lab.leftovers() == [])
            }
        }

        @Test("A run with --listen that was killed is resumed with it")
        func resume() async throws {
            try await Lab.run { lab in
                let machine = try await lab.add("web-01", Self.small)
                let result = try await lab.rescue(["web-01"], extra: ["--yes", "--listen"]) { line, command in
                    if line.contains("web-01: scan …") { try command.send(.kill) }
                }
                #expect(result.status == 128 + Signal.kill.rawValue, "it ended before it was killed: \(result.errors)")
                let run = try #require(
                    try StatusAnswer(try await lab.salvor("status", "--output", "json")).runs.first?.run)
                let resumed = try await lab.salvor("resume", run, "--output", "json") { line, command in
                    guard line.contains("web-01: scan …") else { return }
                    #expect(ListeningSockets.of(process: command.pid) == [])
                }
                #expect(resumed.status == 0, "\(resumed.errors)")
                #expect(try RunAnswer(resumed).kinds == ["web-01": "repaired"])
                #expect(try machine.diskIsUnchanged)
                #expect(lab.leftovers() == [])
            }
        }

        @Test("--listen and --advertise exclude each other; on Azure one of them is needed")
        func options() async throws {
            try await Lab.run { lab in
                let both = try await lab.salvor(
                    "rescue", "vm", "--provider", "azure", "--listen", "--advertise", "10.1.0.9")
                #expect(both.status == 64)
                #expect(both.errors.contains("--listen and --advertise exclude each other"), "\(both.errors)")
                let neither = try await lab.salvor("rescue", "vm", "--provider", "azure")
                #expect(neither.status != 0)
                #expect(neither.errors.contains("say --listen"), "\(neither.errors)")
            }
        }
    }
}
