import Fixtures
import FoundationEssentials
import SalvorImage
import SystemPackage

/// `salvor rescue`, from the start of its process until it has unmounted and verified.
actor SalvorRescue: Contender {
    nonisolated let name = "salvor"
    nonisolated let usesKVM: Bool
    nonisolated let initramfs: FilePath
    nonisolated var kernel: FilePath { initramfs.removingLastComponent().appending("vmlinuz") }

    /// Seconds of each phase, in the order of their first appearance; without the first rescue, which is the warm-up.
    private(set) var phases: [(step: String, seconds: [Double])] = []
    private var rescues = 0
    private let tools: ToolRunner

    private struct Check: Decodable {
        var name: String
        var state: String
        var detail: String
    }

    private struct Outcome: Decodable {
        struct Phase: Decodable {
            var step: String
            var seconds: Double
        }
        struct Machine: Decodable {
            var secondsUntilVerified: Double?
            var phases: [Phase]
        }
        var run: String
        var seconds: Double
        var hosts: [Phase]
        var machines: [Machine]
    }

    init(programs: FilePath, scratch: FilePath) async throws {
        var tools = ToolRunner(environment: ["SALVOR_HOME": scratch.appending("state").string])
        tools.searchPath.insert(programs, at: 0)
        self.tools = tools
        let doctor = try await tools.result("salvor", ["doctor", "--inventory", scratch.string, "--output", "json"])
        let checks = try JSONDecoder().decode([Check].self, from: Data(doctor.output))
        guard let image = checks.first(where: { $0.name == "rescue image" }), image.state == "present" else {
            throw FixtureError("the rescue image is not built: run `salvor image build`")
        }
        initramfs = FilePath(image.detail)
        usesKVM = checks.contains { $0.name == "KVM" && $0.state == "present" }
    }

    func deleteFaultyFile(from disk: BenchDisk) async throws -> Double {
        let inventory = disk.folder.appending("inventory").string
        let start = ContinuousClock.now
        let bytes = try await tools.output(
            "salvor", ["rescue", BenchDisk.machine, "--inventory", inventory, "--yes", "--output", "json"])
        let wall = (ContinuousClock.now - start).inSeconds
        let outcome = try JSONDecoder().decode(Outcome.self, from: Data(bytes))
        guard let machine = outcome.machines.first, let verified = machine.secondsUntilVerified else {
            throw FixtureError(
                "salvor rescue does not say when it had verified: \(String(decoding: bytes, as: UTF8.self))")
        }
        try await disk.check(try repairedDisk(beside: disk.path))
        try await tools.output("salvor", ["rollback", outcome.run, "--inventory", inventory, "--yes"])

        rescues += 1
        if rescues > 1 {
            for phase in outcome.hosts + machine.phases { add(phase) }
            add(.init(step: "process start and end", seconds: wall - outcome.seconds))
        }
        // salvor counts from where its command begins: what its process took before that, and after its end, is added.
        return verified + wall - outcome.seconds
    }

    private func add(_ phase: Outcome.Phase) {
        if let index = phases.firstIndex(where: { $0.step == phase.step }) {
            phases[index].seconds.append(phase.seconds)
        } else {
            phases.append((phase.step, [phase.seconds]))
        }
    }

    private nonisolated func repairedDisk(beside original: FilePath) throws -> FilePath {
        let folder = original.removingLastComponent()
        let copies = try Posix.names(in: folder).filter { $0.hasSuffix(".qcow2") }
        guard copies.count == 1 else {
            throw FixtureError("\(folder) should hold one repaired disk, and has \(copies)")
        }
        return folder.appending(copies[0])
    }
}
