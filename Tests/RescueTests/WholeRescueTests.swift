import Fixtures
import SalvorDigest
import SalvorImage
import SystemPackage
import Testing

extension FirstLane {
    struct WholeRescue {
        @Test("A rescue repairs a copy, swaps it in, proves the boot, reports it, and leaves nothing else behind")
        func rescue() async throws {
            try await Lab.run { lab in
                let machine = try await lab.add("web-01")
                try await lab.add(
                    "web-02-untouched",
                    BrokenWindows {
                        $0.sizeBytes = 128 << 20; $0.otherFiles = 5
                    })
                let observer = Observer()
                let result = try await lab.rescue(["web-01"]) { line, _ in try await observer.look(at: lab, line: line)
                }

                #expect(result.status == 0, "\(result.errors)")
                let answer = try RunAnswer(result)
                #expect(answer.kinds == ["web-01": "repaired"])
                #expect(answer.exitCode == 0)
                #expect(answer.remarks.isEmpty)
                // What was clean is mounted without a change to its log.
                let log = String(decoding: try Posix.read(FilePath(answer.auditLog)), as: UTF8.self)
                #expect(!log.contains("volumeChanged"))
                let copies = try lab.copies(of: machine)
                let copy = lab.disks.appending(try #require(copies.first))
                #expect(copies.count == 1)

                try await checkDisks(lab, machine, copy)
                try checkDefinition(machine, copy, answer.run)
                try checkQuarantine(try #require(answer.machine("web-01")))
                try await checkStatus(lab, answer.run)
                try await checkReports(lab, answer.run)
                try checkNothingLeft(lab, answer.run)
                try checkSecrets(lab, machine, answer.run, observer)
            }
        }

        /// The original is as it was; the copy differs from it by the faulty file alone.
        private func checkDisks(_ lab: Lab, _ machine: LabMachine, _ copy: FilePath) async throws {
            #expect(try machine.diskIsUnchanged)
            let repaired = lab.folder.appending("repaired.raw")
            try await DiskMaker().convert(copy, to: repaired, format: "raw")
            defer { Posix.removeTree(repaired) }

            let table = try #require(try PartitionTable(readFrom: machine.disk))
            #expect(try PartitionTable(readFrom: repaired) == table)
            let sizeBytes = try #require(Posix.sizeAndModification(machine.disk)).bytes
            #expect(Posix.sizeAndModification(repaired)?.bytes == sizeBytes)
            let system = try #require(table.entries.first { $0.guid == BrokenWindows.systemPartition })
            // In front of C: the protective MBR, the table and its entries, the EFI and the reserved partition; behind it
            // the second table. All of it, byte for byte, and not by digest alone.
            for range in [0..<system.startBytes, system.startBytes + system.sizeBytes..<sizeBytes] {
                let before = try DiskBytes.read(machine.disk, range)
                #expect(before.count == range.count)
                #expect(try DiskBytes.read(repaired, range) == before, "changed: bytes \(range)")
            }

            let before = try await TreeSnapshot.take(of: machine.disk)
            let after = try await TreeSnapshot.take(of: repaired)
            #expect(before.entries.count > 200)
            // `TreeSnapshot` compares content, size and all four times of each file.
            let folder = ChannelFile.folder
            let differences = before.differences(to: after).filter { $0 != "changed: \(folder)" }
            #expect(differences == ["gone: \(folder)/\(ChannelFile.faulty)"])
        }

        private func checkDefinition(_ machine: LabMachine, _ copy: FilePath, _ run: String) throws {
            let text = try machine.currentDefinition
            let before = Set(machine.definitionText.split(separator: "\n"))
            let after = Set(text.split(separator: "\n"))
            #expect(before.subtracting(after) == ["  path: ../disks/web-01.raw"])
            let added = after.subtracting(before).filter { !$0.hasPrefix("  at: ") }
            #expect(
                added == [
                    "  path: \"\(copy)\"", "  format: qcow2", "original_disk:", "  path: \"\(machine.disk)\"",
                    "  replaced_by_run: \"\(run)\"",
                ])
            #expect(text.hasPrefix("# An operator's own words stay.\n"))
        }

        /// What was deleted is kept, under the name of its digest, with the bytes that it had.
        private func checkQuarantine(_ machine: RunAnswer.Machine) throws {
            let folder = FilePath(machine.quarantine)
            let faulty = SHA256.digest(of: try #require(ChannelFile.faultyFile().bytes))
            #expect(try Posix.names(in: folder) == ["\(faulty).bin", "manifest.json"].sorted())
            #expect(try SHA256.digest(ofFile: folder.appending("\(faulty).bin").string) == faulty)
            let manifest = String(decoding: try Posix.read(folder.appending("manifest.json")), as: UTF8.self)
            #expect(manifest.contains(faulty.hex) && manifest.contains(ChannelFile.faulty))
        }

        private func checkStatus(_ lab: Lab, _ run: String) async throws {
            let result = try await lab.salvor("status", "--output", "json")
            #expect(result.status == 0)
            let runs = try StatusAnswer(result).runs
            #expect(runs.map(\.run) == [run])
            #expect(runs.first?.exitCode == 0)
            #expect(runs.first?.machines.map(\.outcome?.kind) == ["repaired"])
        }

        private func checkNothingLeft(_ lab: Lab, _ run: String) throws {
            #expect(lab.leftovers() == [])
            // The folder is empty but for the two machines, what the run is known by, and the reports of this test.
            #expect(try Posix.names(in: lab.folder) == ["disks", "fleet", "reports", "state", "tmp"])
            let state = try FolderContents.files(in: lab.state).map { $0.string.dropFirst(lab.state.string.count + 1) }
            let faulty = SHA256.digest(of: try #require(ChannelFile.faultyFile().bytes))
            #expect(
                Set(state) == [
                    "journal.sqlite", "local/runs/\(run)/copies/web-01", "runs/\(run)/audit.jsonl",
                    "runs/\(run)/ca/authority.pem", "runs/\(run)/console/web-01.log", "runs/\(run)/lock",
                    "runs/\(run)/quarantine/web-01/\(faulty).bin", "runs/\(run)/quarantine/web-01/manifest.json",
                ])
        }
    }
}
