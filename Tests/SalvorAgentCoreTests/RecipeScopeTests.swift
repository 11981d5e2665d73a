import Fixtures
import FoundationEssentials
import SalvorMessages
import SwiftProtobuf
import Testing

@testable import SalvorAgentCore

/// Which files, and which machines, a recipe means.
@Suite(.enabled(if: canMountNTFS, whyNotMountNTFS))
struct RecipeScopeTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private static func recipe(
        folder: [String], files: String, _ judge: (inout Salvor_V1_Judgement) -> Void = { $0.everyFile = true }
    ) -> Salvor_V1_Recipe {
        .with {
            $0.name = "some"
            $0.version = 1
            $0.rules = [
                .with {
                    $0.id = "rule"
                    $0.folder = folder
                    $0.namePattern = files
                    $0.judgement = .with(judge)
                    $0.actions = [
                        .with {
                            $0.verdict = .faulty
                            $0.action = .quarantineAndDelete
                        }
                    ]
                }
            ]
        }
    }

    @Test("A folder's wildcards fit folders alone, in every case, and follow no link")
    func wildcards() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.windows(editor)
            try editor.file("Users/anna/AppData/x.tmp", [1])
            try editor.file("Users/Bernd/appdata/X.TMP", [])
            try editor.file("Users/carla/other/x.tmp", [1])
            try editor.file("Users/x.tmp", [1])
            try editor.file("Elsewhere/AppData/x.tmp", [1])
            try editor.link("Users/dora", to: "../Elsewhere")
            try editor.junction("Users/emil", to: "C:\\Elsewhere")
        }
        let agent = try TestAgent(scratch, .ntfs(image))
        let recipe = Self.recipe(folder: ["users", "*", "AppData"], files: "x.*")
        let scan = try await agent.scan(recipe)
        #expect(
            scan.findings.map { $0.path.joined(separator: "/") } == [
                "Users/Bernd/appdata/X.TMP", "Users/anna/AppData/x.tmp",
            ])
        #expect(scan.findings.allSatisfy { $0.verdict == .faulty })
        let events = try await agent.apply(scan.findings, recipe)
        #expect(events.outcome.kind == .repaired, "\(events.outcome.message)")
        #expect(events.deletedPaths.count == 2)
    }

    @Test("A size out of bounds is unknown")
    func size() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.windows(editor)
            for count in [9, 10, 20, 21] {
                try editor.file("f/\(count).x", [UInt8](repeating: 7, count: count), modified: 1000)
            }
        }
        let recipe = Self.recipe(folder: ["f"], files: "*.x") {
            $0.minBytes = 10
            $0.maxBytes = 20
            $0.faultyBefore = 2000
        }
        let scan = try await TestAgent(scratch, .ntfs(image)).scan(recipe)
        #expect(scan.findings.map(\.verdict) == [.faulty, .faulty, .unknown, .unknown])
    }

    private static let server = Salvor_V1_WindowsFacts.with {
        $0.build = 17763
        $0.controlSet = 1
        $0.services = [.with { $0.name = "CSAgent" }]
    }

    private static let requirements: [(Salvor_V1_Requirements, Salvor_V1_WindowsFacts, Salvor_V1_Requirements.Check)] =
        [
            (.with { $0.buildFrom = 17763 }, server, .met),
            (.with { $0.buildBefore = 17764 }, server, .met),
            (.init(), .init(), .met),
            (
                .with { $0.buildFrom = 17764 }, server,
                .unmet("The recipe is for builds from 17764 on, and this is build 17763.")
            ),
            (
                .with { $0.buildBefore = 17763 }, server,
                .unmet("The recipe is for builds before 17763, and this is build 17763.")
            ),
            (.with { $0.buildFrom = 1 }, .with { $0.problem = "No." }, .unknown("its build cannot be read. No.")),
            (.with { $0.falcon = true }, server, .met),
            (
                .with { $0.falcon = true }, .with { $0.controlSet = 1 },
                .unmet("The recipe is for machines with a CrowdStrike sensor, and this one has none.")
            ),
            (.with { $0.falcon = true }, .init(), .unknown("its services cannot be read. ")),
        ]

    @Test("A recipe is for the machines that it names")
    func requirements() {
        for (requirements, facts, check) in Self.requirements { #expect(requirements.check(facts) == check) }
    }

    @Test("Where the build cannot be read, a recipe that asks for one changes nothing and says so")
    func unknownBuild() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change(Incident.broken)
        var recipe = Salvor_V1_Recipe.crowdStrike()
        recipe.requires.buildFrom = 14393
        let scan = try await TestAgent(scratch, .ntfs(image)).scan(recipe)
        #expect(scan.outcome.kind == .ambiguous)
        #expect(scan.outcome.message.contains("its build cannot be read"))
        #expect(scan.findings.allSatisfy { $0.action == .keep })
    }
}
