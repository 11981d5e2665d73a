import Fixtures
import FoundationEssentials
import SalvorImage
import Subprocess
import Synchronization
import SystemPackage
import Testing

extension SecondLane {
    /// Protocol/SPEC.md section 11 in a real rescue VM: what joins its connections to the coordinator is killed.
    struct LostLink {
        private struct Record: Decodable {
            struct Payload: Decodable {
                var path: [String]?
                var step: String?
            }
            var event: String
            var data: Payload
        }

        @Test(
            "A link that is lost while a machine is scanned or repaired costs it nothing, and no event is lost or told twice",
            arguments: ["web-01: scan …", "web-01: repair: mount", "web-01: repair: delete"])
        func lost(at point: String) async throws {
            try await Lab.run { lab in
                let files = 25
                let isCut = Mutex(false)
                let machine = try await lab.add(
                    "web-01",
                    BrokenWindows {
                        $0.sizeBytes = 128 << 20; $0.otherFiles = 20; $0.channelFiles = .severalFaulty(files)
                    })
                let result = try await lab.rescue(["web-01"], extra: ["--yes", "--verbose"]) { line, _ in
                    guard line.contains(point),
                        isCut.withLock({ wasCut in
                            defer { wasCut = true }
                            return !wasCut
                        })
                    else { return }
                    let relays = ProcessTable.entries(naming: lab.folder).filter { $0.program == "socat" }
                    try #require(!relays.isEmpty, "nothing joins the rescue VM to the coordinator")
                    for relay in relays { try ProcessTable.send(.kill, to: relay.pid) }
                }
                #expect(result.status == 0, "\(result.errors)")
                #expect(result.errors.contains("is lost"), "the link held")
                let answer = try RunAnswer(result)
                #expect(answer.kinds == ["web-01": "repaired"])
                let report = try await lab.report(answer.run)
                #expect(report.log.isSound)
                #expect(try machine.diskIsUnchanged)

                let lines = String(decoding: try Posix.read(FilePath(answer.auditLog)), as: UTF8.self)
                    .split(separator: "\n")
                let records = lines.compactMap { try? JSONDecoder().decode(Record.self, from: Data($0.utf8)) }
                for event in ["fileDeleted", "fileQuarantined"] {
                    let paths = records.filter { $0.event == event }.compactMap(\.data.path)
                    #expect(paths.count == files && Set(paths).count == files, "\(event): \(paths.count) files")
                }
                #expect(lab.leftovers() == [])
            }
        }
    }
}
