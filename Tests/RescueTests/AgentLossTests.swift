import Fixtures
import SalvorImage
import Subprocess
import SystemPackage
import Testing

extension FirstLane {
    struct AgentLoss {
        @Test(
            "A rescue VM that dies during the repair costs its machine nothing", arguments: ["scan …", "repair: mount"])
        func rescueHostDies(at point: String) async throws {
            try await Lab.run { lab in
                let machine = try await lab.add(
                    "web-01",
                    BrokenWindows {
                        $0.sizeBytes = 128 << 20; $0.otherFiles = 20
                    })
                let result = try await lab.rescue(["web-01"]) { line, _ in
                    guard line.contains("web-01: \(point)") else { return }
                    let hosts = lab.rescueHosts
                    try #require(hosts.count == 1, "there should be one rescue VM, not \(hosts)")
                    for host in hosts { try ProcessTable.send(.kill, to: host.pid) }
                }
                #expect(result.status == 17, "\(result.errors)")
                let answer = try RunAnswer(result)
                let outcome = try #require(answer.machine("web-01")?.outcome)
                #expect(outcome.kind == "failed")
                #expect(outcome.errorCode == "agent-gone")
                let words = outcome.message + " " + outcome.nextStep
                #expect(words.contains("original disk"), "what is left in which state: \(words)")
                #expect(!outcome.nextStep.isEmpty)
                #expect(try machine.diskIsUnchanged)
                #expect(try machine.currentDefinition == machine.definitionText)
                #expect(try lab.copies(of: machine) == [])
                #expect(answer.remarks.isEmpty)
                #expect(try await lab.report(answer.run).remains.map(\.identifier) == [])
                #expect(lab.leftovers() == [])
            }
        }

        @Test("A rescue VM whose coordinator is gone powers itself off, and the run can still be finished")
        func coordinatorGone() async throws {
            try await Lab.run { lab in
                let machine = try await lab.add("web-01")
                let result = try await lab.rescue(["web-01"], extra: ["--yes", "--coordinator-timeout", "3"]) {
                    line, command in
                    if line.contains("web-01: scan …") { try command.send(.kill) }
                }
                #expect(result.status == 128 + Signal.kill.rawValue, "it ended before it was killed: \(result.errors)")

                let deadline = ContinuousClock.now + .seconds(90)
                var hosts = lab.rescueHosts
                while !hosts.isEmpty, ContinuousClock.now < deadline {
                    try await Task.sleep(for: .milliseconds(200))
                    hosts = lab.rescueHosts
                }
                #expect(hosts.isEmpty, "still running a minute and a half after its coordinator's end")
                #expect(try machine.diskIsUnchanged)

                let runs = try StatusAnswer(try await lab.salvor("status", "--output", "json")).runs
                let run = try #require(runs.first?.run)
                let resumed = try await lab.salvor("resume", run, "--output", "json")
                #expect(resumed.status == 0, "\(resumed.errors)")
                #expect(try RunAnswer(resumed).kinds == ["web-01": "repaired"])
                #expect(lab.leftovers() == [])
            }
        }
    }
}
