import Fixtures
import SalvorImage
import SystemPackage
import Testing

extension FirstLane {
    struct Fleet {
        /// A machine of the fleet, and how it must end.
        private struct Case {
            var name: String
            var outcome: String
            var errorCode: String?
            /// A part of its message.
            var says: String
            /// What its definition says that Windows on it is called.
            var computerName: String?
            var windows: BrokenWindows

            init(
                _ name: String, _ outcome: String, errorCode: String? = nil, says: String = "",
                computerName: String? = nil, _ change: (inout BrokenWindows) -> Void = { _ in }
            ) {
                self.name = name
                self.outcome = outcome
                self.errorCode = errorCode
                self.says = says
                self.computerName = computerName
                windows = BrokenWindows {
                    $0.sizeBytes = 96 << 20
                    $0.otherFiles = 10
                    change(&$0)
                }
            }
        }

        private let cases = [
            Case("good", "repaired"),
            Case("several-faulty", "repaired") { $0.channelFiles = .severalFaulty(2) },
            Case("only-corrected", "nothingToRepair") { $0.channelFiles = .onlyCorrected },
            Case("nothing-matches", "nothingToRepair") { $0.channelFiles = .none },
            Case("only-zeroed", "repaired") { $0.channelFiles = .onlyZeroed },
            Case("log-open", "repaired") { $0.state = .logOpen },
            Case("data-only", "notWindows") { $0.systemVolume = .dataOnly },
            Case("fat", "notWindows") { $0.systemVolume = .fat },
            Case("blank", "notWindows") { $0.systemVolume = .blankDisk },
            Case("bitlocker", "locked", says: "BitLocker") { $0.systemVolume = .bitLocker },
            Case("hibernated", "unclean", says: "hibernated") { $0.obstacle = .hibernated },
            Case("case-twin", "ambiguous", says: "CrowdStrike, crowdstrike") { $0.obstacle = .caseTwin },
            Case("symlink", "failed", errorCode: "failed", says: "symbolic link, a junction") {
                $0.obstacle = .symlink
            },
            Case("other-name", "otherMachine", says: "called WEB-01, and the machine WEB-02", computerName: "WEB-02") {
                $0.registry.computerName = "WEB-01"
            },
            Case("junction", "failed", errorCode: "failed", says: "symbolic link, a junction") {
                $0.obstacle = .junction
            },
            Case("truncated", "failed", errorCode: "disk-unusable", says: "cut short"),
        ]

        @Test(
            "However a volume was left, its machine is repaired and boots, and each change beside the files is on record"
        )
        func unclean() async throws {
            let states: [(name: String, says: [String], change: @Sendable (inout BrokenWindows) -> Void)] = [
                ("bugcheck", ["reset by ntfsfix"], { $0.state = .logOpen }),
                ("bugcheck-7", ["reset by mounting"], { $0.state = .oldLogOpen }),
                ("dirty", [], { $0.state = .dirtyBit }),
                ("hibernated", ["hiberfil.sys was removed"], { $0.obstacle = .hibernated }),
                (
                    "fast-startup", ["reset by ntfsfix", "hiberfil.sys was removed"],
                    {
                        $0.obstacle = .hibernated
                        $0.state = .logOpen
                    }
                ),
            ]
            try await Lab.run { lab in
                for state in states {
                    let windows = BrokenWindows {
                        $0.sizeBytes = 96 << 20
                        $0.otherFiles = 10
                        $0.registry.computerName = "\(state.name.uppercased())"
                        $0.registry.isInterrupted = state.name != "dirty"
                        state.change(&$0)
                    }
                    // Found in the registry, whether it was closed or lies half in its log.
                    try await lab.add(state.name, windows, computerName: state.name)
                }
                let result = try await lab.rescue(
                    states.map(\.name), extra: ["--yes", "--consent", "discard-hibernation"])
                #expect(result.status == 0, "\(result.errors)")
                let answer = try RunAnswer(result)
                #expect(Set(answer.kinds.values) == ["repaired"])
                let log = String(decoding: try Posix.read(FilePath(answer.auditLog)), as: UTF8.self).split(
                    separator: "\n")
                #expect(log.contains { $0.contains("The operator agreed to discard-hibernation") })
                for state in states {
                    let changes = log.filter { $0.contains("volumeChanged") && $0.contains("\"\(state.name)\"") }
                    #expect(changes.count == state.says.count, "\(state.name): \(changes)")
                    let found = try #require(
                        log.first { $0.contains("windowsFound") && $0.contains("\"\(state.name)\"") })
                    #expect(found.contains("\"computerName\":\"\(state.name.uppercased())\""), "\(found)")
                    #expect(found.contains("\"recovered\"") == (state.name != "dirty"), "\(found)")
                    #expect(found.contains("17763.6054") && found.contains("7.16.18605.0"))
                    for says in state.says { #expect(changes.contains { $0.contains(says) }, "\(state.name): \(says)") }
                }
                #expect(lab.leftovers() == [])
            }
        }

        @Test("Sixteen machines on one rescue VM: each ends in its own way, and none stops another")
        func oneRescueHost() async throws {
            try await Lab.run { lab in
                var machines: [String: LabMachine] = [:]
                for one in cases { machines[one.name] = try await make(one, in: lab) }
                let result = try await lab.rescue(cases.map(\.name))
                #expect(result.status == 10, "\(result.errors)")
                let answer = try RunAnswer(result)
                #expect(answer.kinds == Dictionary(uniqueKeysWithValues: cases.map { ($0.name, $0.outcome) }))
                #expect(answer.remarks.isEmpty)

                for one in cases {
                    let machine = try #require(machines[one.name])
                    let outcome = try #require(answer.machine(one.name)?.outcome)
                    #expect(outcome.errorCode == one.errorCode, "\(one.name): \(outcome)")
                    #expect(
                        !outcome.message.isEmpty && (one.says.isEmpty || outcome.message.contains(one.says)),
                        "\(outcome)")
                    #expect(try machine.diskIsUnchanged, "\(one.name): the original was changed")
                    let isRepaired = one.outcome == "repaired"
                    #expect(try lab.copies(of: machine).count == (isRepaired ? 1 : 0), "\(one.name)")
                    let definition = try machine.currentDefinition
                    #expect((definition == machine.definitionText) != isRepaired, "\(one.name): \(definition)")
                    if !isRepaired { #expect(!outcome.nextStep.isEmpty || outcome.kind == "nothingToRepair") }
                }
                #expect(lab.leftovers() == [])
                let report = try await lab.report(answer.run)
                #expect(report.hosts.map(\.name) == ["rescue-1"], "one rescue VM serves them all")
                #expect(report.machines.map(\.name).sorted() == cases.map(\.name).sorted())
                #expect(report.remains.isEmpty, "\(report.remains)")

                let log = String(decoding: try Posix.read(FilePath(answer.auditLog)), as: UTF8.self).split(
                    separator: "\n")
                let reset = log.filter { $0.contains("The log was open and was reset") }
                #expect(!reset.isEmpty && reset.allSatisfy { $0.contains("log-open") }, "\(reset)")
            }
        }

        private func make(_ one: Case, in lab: Lab) async throws -> LabMachine {
            guard one.name == "truncated" else {
                return try await lab.add(one.name, one.windows, computerName: one.computerName)
            }
            let disk = lab.disks.appending("\(one.name).raw")
            try await DiskMaker().make(one.windows.disk, at: disk)
            let file = try FileDescriptor.open(disk, .readWrite)
            defer { try? file.close() }
            try file.resize(to: 80 << 20)
            return try await lab.define(one.name, disk: disk)
        }
    }
}
