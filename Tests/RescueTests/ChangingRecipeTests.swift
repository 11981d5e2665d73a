import Fixtures
import SalvorDigest
import SalvorImage
import SystemPackage
import Testing

extension FirstLane {
    /// Recipes that write, and undo: whole rescues in a real rescue VM.
    struct ChangingRecipes {
        private static func windows(_ change: (inout BrokenWindows) -> Void = { _ in }) -> BrokenWindows {
            BrokenWindows {
                $0.sizeBytes = 96 << 20
                $0.otherFiles = 10
                $0.channelFiles = .onlyCorrected
                change(&$0)
            }
        }

        private func log(of answer: RunAnswer) throws -> [Substring] {
            String(decoding: try Posix.read(FilePath(answer.auditLog)), as: UTF8.self).split(separator: "\n")
        }

        /// The machine's disk as it is now, in raw.
        private func disk(of machine: LabMachine, _ lab: Lab) async throws -> FilePath {
            let line = try machine.currentDefinition.split(separator: "\n").first { $0.contains("path:") }
            let name = try #require(line?.split(separator: "/").last).filter { $0 != "\"" }
            let raw = lab.folder.appending("\(name).now")
            try await DiskMaker().convert(lab.disks.appending(String(name)), to: raw, format: "raw")
            return raw
        }

        @Test(
            "safeboot-off clears safe boot in the boot manager's hive of UEFI and of BIOS, and a scan sees both states")
        func safeBoot() async throws {
            try await Lab.run { lab in
                let store = BootStore { $0.safeBoot = 0 }
                var bios = DiskSpec(
                    sizeBytes: 96 << 20,
                    partitions: [
                        PartitionSpec(
                            name: "System Reserved", type: .basicData,
                            guid: GUID("5a1f0291-0000-4000-8000-000000000b01"),
                            sizeBytes: 20 << 20,
                            content: .ntfs(
                                NTFSSpec(label: "Reserved", files: [FileSpec("Boot/BCD", .bytes(try store.bytes()))]))),
                        PartitionSpec(
                            name: "C", type: .basicData, guid: GUID("5a1f0291-0000-4000-8000-000000000b02"),
                            sizeBytes: nil, content: .ntfs(NTFSSpec(files: Self.windows().windowsFiles))),
                    ])
                bios.table = .mbr
                let path = lab.disks.appending("bios.raw")
                try await DiskMaker().make(bios, at: path)
                let machines = [
                    try await lab.add("uefi", Self.windows { $0.bootStore = store }),
                    try await lab.define("bios", disk: path),
                ]
                let names = machines.map(\.name)
                let first = try RunAnswer(
                    try await lab.salvor(
                        "scan", "uefi", "bios", "--inventory", lab.inventory.string, "--output", "json"))
                #expect(try log(of: first).count { $0.contains("\"safeBoot\":\"minimal\"") } == 2)

                let result = try await lab.rescue(names, extra: ["--yes", "--recipe", "safeboot-off"])
                let answer = try RunAnswer(result)
                #expect(answer.kinds == ["uefi": "repaired", "bios": "repaired"], "\(answer.told)")
                let events = try log(of: answer)
                #expect(events.count { $0.contains("minimal becomes off") } == 2)
                #expect(events.count { $0.contains("\"event\":\"fileWritten\"") } == 2)
                for machine in machines { #expect(try machine.diskIsUnchanged) }

                let second = try RunAnswer(
                    try await lab.salvor(
                        "scan", "uefi", "bios", "--inventory", lab.inventory.string, "--output", "json"))
                #expect(try log(of: second).count { $0.contains("\"safeBoot\":\"off\"") } == 2)
                let again = try await lab.rescue(["uefi"], extra: ["--yes", "--recipe", "safeboot-off"])
                #expect(try RunAnswer(again).kinds == ["uefi": "nothingToRepair"])
                #expect(lab.leftovers() == [])
            }
        }

        @Test("hive-repair mends a hive from its log, and from its backup with consent alone")
        func hives() async throws {
            try await Lab.run { lab in
                var interrupted = try WindowsRegistry { $0.isInterrupted = true }.files()
                interrupted["SYSTEM"]?.replaceSubrange(..<512, with: [UInt8](repeating: 0, count: 512))
                let sound = try WindowsRegistry().files()
                var corrupt = try #require(sound["SOFTWARE"])
                corrupt.replaceSubrange(4096..<4100, with: [1, 2, 3, 4])
                let machines = [
                    try await lab.add("log", Self.windows { $0.hiveFiles = interrupted }),
                    try await lab.add(
                        "backup",
                        Self.windows {
                            $0.hiveFiles = ["SOFTWARE": corrupt, "RegBack/SOFTWARE": sound["SOFTWARE"] ?? []]
                        }),
                ]
                let names = machines.map(\.name)
                let without = try RunAnswer(
                    try await lab.salvor(
                        "scan", "backup", "--recipe", "hive-repair", "--inventory", lab.inventory.string, "--output",
                        "json"))
                #expect(without.kinds == ["backup": "nothingToRepair"], "\(without.told)")
                #expect(try log(of: without).contains { $0.contains("--consent older-registry") })

                let result = try await lab.rescue(
                    names, extra: ["--yes", "--recipe", "hive-repair", "--consent", "older-registry"])
                let answer = try RunAnswer(result)
                #expect(answer.kinds == ["log": "repaired", "backup": "repaired"], "\(answer.told)")
                let events = try log(of: answer)
                #expect(events.contains { $0.contains("The operator agreed to older-registry") })
                #expect(events.contains { $0.contains("entries of its logs are applied") })
                #expect(events.contains { $0.contains("what was registered since then is lost") })
                let again = try await lab.rescue(names, extra: ["--yes", "--recipe", "hive-repair"])
                let rerun = try RunAnswer(again)
                #expect(rerun.kinds == ["log": "nothingToRepair", "backup": "nothingToRepair"], "\(rerun.told)")
                #expect(try log(of: rerun).count { $0.contains("\"computerName\":\"WEB-01\"") } == 2)
                #expect(lab.leftovers() == [])
            }
        }

        private static let recipe = """
            schema: 1
            name: several
            version: 1
            consent:
              - {name: no-sensor, loss: the machine starts without its sensor}
            rules:
              - id: sensor
                folder: Windows\\System32\\config
                files: SYSTEM
                judge: {every_file: true}
                actions:
                  faulty:
                    registry: [{key: 'CurrentControlSet\\Services\\CSAgent', value: Start, dword: 4}]
                  zeroed: keep
                  corrected: keep
                  unknown: keep
              - id: logs
                folder: Windows\\System32\\config\\TxR
                files: "*.TxR.blf"
                judge: {every_file: true}
                actions: {faulty: quarantine-and-delete, zeroed: keep, corrected: keep, unknown: keep}
              - id: note
                folder: Windows
                files: rescued.txt
                judge: {every_file: true}
                actions: {missing: {write: {text: "by salvor"}}, faulty: keep, zeroed: keep, corrected: keep, unknown: keep}

            """

        @Test(
            "A recipe edits, deletes and makes files in one go; undo puts everything back as it was, and says what it left"
        )
        func undo() async throws {
            try await Lab.run { lab in
                let machine = try await lab.add("web-01", Self.windows { $0.hasTransactionFiles = true })
                let recipe = lab.folder.appending("several.yaml")
                try Posix.write(Array(Self.recipe.utf8), to: recipe)
                let refused = try await lab.rescue(["web-01"], extra: ["--yes", "--recipe", recipe.string])
                #expect(refused.status == 4)
                #expect(
                    refused.errors.contains("starts without its sensor")
                        && refused.errors.contains("--consent no-sensor"))

                let result = try await lab.rescue(
                    ["web-01"], extra: ["--yes", "--recipe", recipe.string, "--consent", "no-sensor"])
                let answer = try RunAnswer(result)
                #expect(answer.kinds == ["web-01": "repaired"], "\(answer.told)")
                let before = try await TreeSnapshot.take(of: machine.disk)
                let repaired = try await TreeSnapshot.take(of: try await disk(of: machine, lab))
                let blf = BrokenWindows.transactionFiles[2].path
                #expect(
                    before.differences(to: repaired) == [
                        "changed: Windows", "changed: Windows/System32/config/SYSTEM",
                        "changed: Windows/System32/config/TxR", "gone: \(blf)", "new: Windows/rescued.txt",
                    ])

                let stranger = try await lab.salvor("undo", answer.run, "web-02", "--yes")
                #expect(stranger.status == 3 && stranger.errors.contains("has no machine web-02"))
                let undone = try await lab.salvor(
                    "undo", answer.run, "--yes", "--output", "json", timeout: .seconds(280))
                let second = try RunAnswer(undone)
                #expect(second.kinds == ["web-01": "repaired"], "\(second.told)")
                let after = try await TreeSnapshot.take(of: try await disk(of: machine, lab))
                // Folders have the time of the last change in them, and what was made is nobody's to delete.
                let differences = before.differences(to: after)
                #expect(
                    differences.filter { !$0.hasPrefix("changed: ") } == ["new: Windows/rescued.txt"], "\(differences)")
                for path in [blf, "Windows/System32/config/SYSTEM"] {
                    let (old, new) = (before.entries[path], after.entries[path])
                    #expect(old?.sha256 == new?.sha256 && old?.sizeBytes == new?.sizeBytes, "\(path)")
                    // Created, modified, accessed; when the record changed is now.
                    #expect(old?.times?.prefix(2 + 48) == new?.times?.prefix(2 + 48), "\(path)")
                }
                #expect(try machine.diskIsUnchanged)
                let none = try await lab.salvor("undo", second.run, "--yes", "--output", "json", timeout: .seconds(280))
                #expect(try RunAnswer(none).kinds == ["web-01": "repaired"], "\(none.errors)")
                #expect(lab.leftovers() == [])
            }
        }

        @Test("collect-logs brings one archive that any tar reads, and changes nothing")
        func collect() async throws {
            try await Lab.run { lab in
                let machine = try await lab.add("web-01", Self.windows { $0.hasLogs = true })
                let result = try await lab.rescue(["web-01"], extra: ["--recipe", "collect-logs"])
                let answer = try RunAnswer(result)
                #expect(answer.kinds == ["web-01": "collected"], "\(answer.told)")
                #expect(answer.exitCode == 0)
                let archive = try #require(answer.machine("web-01")).quarantine + "/collected.tar"
                #expect(answer.machine("web-01")?.outcome?.message.contains(archive) == true)
                let unpacked = lab.folder.appending("unpacked")
                try Posix.makeDirectories(unpacked)
                try await ToolRunner().output("tar", ["-xf", archive, "-C", unpacked.string])
                for file in BrokenWindows.logs where !file.path.hasSuffix(".txt") && !file.path.hasSuffix(".DMP") {
                    #expect(try Posix.read(unpacked.appending("volume-3/\(file.path)")) == file.bytes, "\(file.path)")
                }
                #expect(try !Posix.names(in: unpacked.appending("volume-3/Windows")).contains("MEMORY.DMP"))
                #expect(try machine.diskIsUnchanged && machine.currentDefinition == machine.definitionText)
                #expect(try lab.copies(of: machine) == [])
                let undone = try await lab.salvor("undo", answer.run, "--yes")
                #expect(undone.status == 9 && undone.errors.contains("nothing to put back"))
                #expect(lab.leftovers() == [])
            }
        }
    }
}
