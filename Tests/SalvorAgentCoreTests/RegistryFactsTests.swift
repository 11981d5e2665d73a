import Fixtures
import SalvorMessages
import Testing

@testable import SalvorAgentCore

/// What is read of a Windows' registry where it lies, on a mounted volume.
@Suite(.enabled(if: canMountNTFS, whyNotMountNTFS))
struct RegistryFactsTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func facts(_ files: [String: [UInt8]], image name: String = "volume.img") async throws
        -> Salvor_V1_WindowsFacts
    {
        let image = try await NTFSImage(in: scratch, name: name)
        try await image.change { editor in
            for (name, bytes) in files { try editor.file("Windows/System32/config/\(name)", bytes) }
        }
        let before = try image.digest()
        let mounted = try await scratch.mounter.mount(image.path, .look)
        let facts = RegistryFacts(tree: try mounted.tree()).read()
        try await mounted.unmount()
        #expect(try image.digest() == before)
        return facts
    }

    @Test("A closed registry says what the machine is; names are found without regard to case")
    func closed() async throws {
        let files = try WindowsRegistry().files()
        let facts = try await facts(["system": files["SYSTEM"] ?? [], "Software": files["SOFTWARE"] ?? []])
        #expect(facts.problem == "")
        #expect(facts.computerName == "WEB-01")
        #expect(facts.build == 17763)
        #expect(facts.falconVersion == "7.16.18605.0")
        #expect(facts.services.map(\.start) == [1, 2])
        #expect(facts.hives.map(\.state) == [.clean, .clean])
    }

    @Test(
        "A hive that was not closed is read with its log, and one that is damaged or missing is a problem that says so")
    func unclosed() async throws {
        var files = try WindowsRegistry { $0.isInterrupted = true }.files()
        files["SOFTWARE"] = nil
        let facts = try await facts(files)
        #expect(facts.computerName == "WEB-01")
        #expect(facts.hives.map(\.state) == [.recovered, .missing])
        #expect(facts.problem.contains("SOFTWARE"))
        #expect(facts.build == 0)
        files["SYSTEM"]?.replaceSubrange(4096..<4100, with: [1, 2, 3, 4])
        files["SYSTEM.LOG1"] = []
        files["SOFTWARE"] = Array("no hive".utf8)
        let damaged = try await self.facts(files, image: "damaged.img")
        #expect(damaged.hives.map(\.state) == [.corrupt, .corrupt])
        #expect(damaged.hives.allSatisfy { !$0.detail.isEmpty })
        #expect(damaged.computerName == "")
    }

    @Test(
        "A reader that dies, hangs or talks too much costs what would be known, and not the scan",
        arguments: [
            "/bin/false", "/bin/yes", "/nonexistent/reader", "/bin/true",
        ])
    func readerFails(reader: String) async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change(Incident.broken)
        var agent = try TestAgent(scratch, .ntfs(image))
        agent.tools.registryReader = reader
        let response = try await agent.scan()
        #expect(response.outcome.kind == .repairable)
        #expect(response.installations.first?.facts.problem.isEmpty == false)
    }
}
