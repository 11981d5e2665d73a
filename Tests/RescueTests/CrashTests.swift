import Fixtures
import SalvorImage
import Subprocess
import SystemPackage
import Testing

extension FirstLane {
    struct Crashes {
        /// A point of a rescue, by the progress line that begins it.
        enum Point: String, CaseIterable, Sendable, CustomTestStringConvertible {
            case afterCopy = "copy the OS disk: done"
            case duringScan = "web-01: scan …"
            case duringRepair = "repair: quarantine"
            case afterSwap = "swap the disk: done"

            var testDescription: String { rawValue }
        }

        @Test(
            "A coordinator that was killed is followed by resume, which brings the machine to its end",
            arguments: Point.allCases)
        func killed(at point: Point) async throws {
            try await Lab.run { lab in
                let machine = try await lab.add("web-01")
                let result = try await lab.rescue(["web-01"]) { line, command in
                    if line.contains(point.rawValue) { try command.send(.kill) }
                }
                #expect(result.status == 128 + Signal.kill.rawValue, "it ended before it was killed: \(result.errors)")
                #expect(try machine.diskIsUnchanged)

                let run = try await resume(lab, machine)
                if point == .afterSwap { try await rollBack(run, lab, machine) }
            }
        }

        @Test("Ctrl-C ends the rescue VM and leaves a run that resume finishes")
        func interrupted() async throws {
            try await Lab.run { lab in
                let machine = try await lab.add("web-01")
                let result = try await lab.rescue(["web-01"]) { line, command in
                    if line.contains("web-01: scan …") { try command.send(.interrupt) }
                }
                #expect(result.status == 130, "\(result.errors)")
                #expect(lab.leftovers() == [])
                #expect(try machine.diskIsUnchanged)
                #expect(try machine.currentDefinition == machine.definitionText)
                try await resume(lab, machine)
            }
        }

        /// Resumes the only run there is, and looks at what then is.
        @discardableResult
        private func resume(_ lab: Lab, _ machine: LabMachine) async throws -> String {
            let runs = try StatusAnswer(try await lab.salvor("status", "--output", "json")).runs
            let run = try #require(runs.first)
            #expect(runs.count == 1 && run.exitCode != 0)

            let result = try await lab.salvor("resume", run.run, "--output", "json")
            #expect(result.status == 0, "\(result.errors)")
            let answer = try RunAnswer(result)
            #expect(answer.run == run.run)
            #expect(answer.kinds == ["web-01": "repaired"], "\(answer.told)")
            #expect(answer.remarks.isEmpty)
            #expect(try machine.diskIsUnchanged)
            let copies = try lab.copies(of: machine)
            #expect(copies.count == 1)
            #expect(try machine.currentDefinition.contains(copies.first ?? "no copy"))
            #expect(lab.leftovers() == [])
            #expect(Posix.kind(lab.state.appending("local/runs/\(run.run)/hosts")) == nil)

            // The log of both lives is one chain, and says no more than is true.
            let report = try await lab.report(run.run)
            #expect(report.log.isSound && report.exitCode == 0)
            #expect(report.machines.map(\.outcome.kind) == ["repaired"])
            // The copy is the machine's disk now, which is what it was made for.
            #expect(report.remains.isEmpty, "\(report.remains)")
            return run.run
        }

        private func rollBack(_ run: String, _ lab: Lab, _ machine: LabMachine) async throws {
            let result = try await lab.salvor("rollback", run, "--yes", "--output", "json")
            #expect(result.status == 0, "\(result.errors)")
            #expect(try RunAnswer(result).kinds == ["web-01": "rolledBack"])
            let text = try machine.currentDefinition
            #expect(text.contains(machine.disk.lastComponent?.string ?? "") && text.contains("format: raw"))
            #expect(!text.contains("original_disk") && !text.contains("qcow2"))
            #expect(try lab.copies(of: machine) == [])
            #expect(try machine.diskIsUnchanged)
            #expect(lab.leftovers() == [])
            let boot = try await lab.salvor("boot", "web-01", "--inventory", lab.inventory.string)
            #expect(boot.status == 14, "with its original disk the machine fails, as it did: \(boot.errors)")
        }
    }
}
