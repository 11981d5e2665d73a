import Subprocess
import SystemPackage
import Testing

extension FirstLane {
    struct Stepwise {
        @Test("create, run and restore, each a process of its own, bring a machine back on one rescue VM")
        func threeCommands() async throws {
            try await Lab.run { lab in
                let machine = try await lab.add("web-01")
                let created = try await lab.step("create", "-n", "web-01", "--inventory", lab.inventory.string)
                #expect(created.status == 0, "\(created.errors)")
                let run = try RunAnswer(created)
                #expect(run.kinds == ["web-01": "created"])
                // Nobody drives the run, and the rescue VM waits.
                #expect(lab.rescueHosts.count == 1)
                #expect(try StatusAnswer(try await lab.salvor("status", "--output", "json")).runs[0].state == "waiting")

                let early = try await lab.step("restore", "-n", "web-01", "--yes")
                #expect(early.status == 11)
                #expect(early.errors.contains("nothing was repaired on it"))

                let repaired = try await lab.step("run", "-n", "web-01", "--yes")
                #expect(repaired.status == 0, "\(repaired.errors)")
                #expect(try RunAnswer(repaired).kinds == ["web-01": "copyRepaired"])
                #expect(try machine.currentDefinition == machine.definitionText)

                let restored = try await lab.step("restore", "-n", "web-01", "--yes")
                #expect(restored.status == 0, "\(restored.errors)")
                let answer = try RunAnswer(restored)
                #expect(answer.run == run.run)
                #expect(answer.kinds == ["web-01": "repaired"])
                #expect(answer.remarks.isEmpty)
                let copies = try lab.copies(of: machine)
                #expect(copies.count == 1)
                #expect(try machine.currentDefinition.contains(copies.first ?? "no copy"))
                #expect(try machine.diskIsUnchanged)
                #expect(lab.leftovers() == [])

                // Three processes, one chain, one certificate: the agent was let in again, not anew.
                let report = try await lab.report(run.run)
                #expect(report.log.isSound && report.exitCode == 0)
                #expect(report.machines.map(\.outcome.kind) == ["repaired"])
            }
        }

        @Test("A run that was killed while it repaired leaves a copy that is not used, and resume makes another")
        func killedWhileRepairing() async throws {
            try await Lab.run { lab in
                let machine = try await lab.add("web-01")
                let created = try await lab.step("create", "-n", "web-01", "--inventory", lab.inventory.string)
                #expect(created.status == 0, "\(created.errors)")
                let killed = try await lab.step("run", "-n", "web-01", "--yes") { line, command in
                    if line.contains("repair: quarantine") { try command.send(.kill) }
                }
                #expect(killed.status == 137, "it ended before it was killed: \(killed.errors)")
                let refused = try await lab.step("run", "-n", "web-01", "--yes")
                #expect(refused.status == 11)
                #expect(refused.errors.contains("half repaired"))
                #expect(refused.errors.contains("salvor resume"))

                let run = try RunAnswer(created).run
                let anew = try await lab.salvor("resume", run, "--output", "json")
                #expect(try RunAnswer(anew).kinds == ["web-01": "created"], "\(anew.errors)")
                #expect(try await lab.step("run", "-n", "web-01", "--yes").status == 0)
                let restored = try await lab.step("restore", "-n", "web-01", "--yes")
                #expect(try RunAnswer(restored).kinds == ["web-01": "repaired"], "\(restored.errors)")
                #expect(try machine.diskIsUnchanged)
                #expect(lab.leftovers() == [])
            }
        }
    }
}

extension Lab {
    /// One of the commands of a rescue in steps, with an answer for programs.
    func step(
        _ arguments: String...,
        onLine: @escaping @Sendable (String, RunningCommand) async throws -> Void = { _, _ in }
    ) async throws -> CommandResult {
        try await Command.run(
            program, arguments + ["--output", "json"], environment: environment, in: folder, timeout: .seconds(150),
            onLine: onLine)
    }
}
