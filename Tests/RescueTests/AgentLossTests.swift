import Fixtures
import SalvorImage
import Subprocess
import SystemPackage
import Testing

extension EndToEnd {
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
                    let hosts = ProcessTable.entries(naming: lab.folder).filter { $0.program.hasPrefix("qemu-system") }
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
    }
}
