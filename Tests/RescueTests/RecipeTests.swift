import Fixtures
import SalvorImage
import SystemPackage
import Testing

extension FirstLane {
    /// Recipes that come with salvor besides the first.
    struct Recipes {
        @Test(
            "txr-cleanup removes the registry's transaction files where the build is one that it is for, and says so elsewhere"
        )
        func transactions() async throws {
            try await Lab.run { lab in
                func windows(build: String) -> BrokenWindows {
                    BrokenWindows {
                        $0.sizeBytes = 96 << 20
                        $0.otherFiles = 10
                        $0.channelFiles = .onlyCorrected
                        $0.hasTransactionFiles = true
                        $0.registry.build = build
                    }
                }
                try await lab.add("server-2019", windows(build: "17763"))
                try await lab.add("server-2012", windows(build: "9600"))
                let result = try await lab.rescue(
                    ["server-2019", "server-2012"], extra: ["--yes", "--recipe", "txr-cleanup"])
                let answer = try RunAnswer(result)
                #expect(
                    answer.kinds == ["server-2019": "repaired", "server-2012": "nothingToRepair"], "\(result.errors)")
                #expect(answer.machine("server-2012")?.outcome?.message.contains("this is build 9600") == true)
                let log = String(decoding: try Posix.read(FilePath(answer.auditLog)), as: UTF8.self).split(
                    separator: "\n")
                let deleted = log.filter { $0.contains("\"event\":\"fileDeleted\"") }
                #expect(deleted.count == 3)
                #expect(deleted.allSatisfy { $0.contains("TxR") && !$0.contains(".TM.blf") })
                #expect(lab.leftovers() == [])
            }
        }

        @Test("report-only finds what the first recipe finds, and keeps it")
        func reportOnly() async throws {
            try await Lab.run { lab in
                let machine = try await lab.add(
                    "web-01",
                    BrokenWindows {
                        $0.sizeBytes = 96 << 20
                        $0.otherFiles = 10
                    })
                let result = try await lab.rescue(["web-01"], extra: ["--yes", "--recipe", "report-only"])
                let answer = try RunAnswer(result)
                #expect(answer.kinds == ["web-01": "nothingToRepair"], "\(result.errors)")
                let report = try await lab.report(answer.run)
                #expect(report.machines.count == 1)
                let log = String(decoding: try Posix.read(FilePath(answer.auditLog)), as: UTF8.self)
                #expect(log.contains("\"verdict\":\"faulty\"") && !log.contains("fileDeleted"))
                #expect(try machine.diskIsUnchanged)
                #expect(try lab.copies(of: machine) == [])
            }
        }

        @Test("A recipe's mistake has its line; a sound one is said to be sound, for people and for programs")
        func check() async throws {
            try await Lab.run { lab in
                let bad = lab.folder.appending("bad.yaml")
                try Posix.write(Array("schema: 1\nname: some\nversion: 1\nrulez: []\n".utf8), to: bad)
                let checked = try await lab.salvor("recipe", "check", "crowdstrike-291", bad.string)
                #expect(checked.status == 4)
                #expect(checked.output.contains("sound: crowdstrike-291, version 1"))
                #expect(checked.output.contains("bad.yaml:4:1") && checked.output.contains("did you mean “rules”?"))
                let listed = try await lab.salvor("recipe", "list", "--output", "json")
                #expect(listed.status == 0 && listed.output.contains("\"name\" : \"txr-cleanup\""))
                let explained = try await lab.salvor("recipe", "explain", "txr-cleanup")
                #expect(explained.output.contains("Windows builds from 14393 on"))
                let missing = try await lab.salvor("recipe", "explain", "no-such-recipe")
                #expect(missing.status == 4 && missing.errors.contains("no-such-recipe"))
            }
        }
    }
}
