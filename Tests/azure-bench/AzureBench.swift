import ArgumentParser
import BenchFigures
import FoundationEssentials
import SalvorImage
import SystemPackage

/// Measures `salvor rescue` on Azure beside what `az vm repair` does, both against azure-emulator and its times.
@main
struct AzureBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "azure-bench",
        abstract: "Measure a rescue through Azure Resource Manager beside the calls and processes of az vm repair.",
        discussion: """
            Both sides wait for the same operations of the same length, in real time: about a quarter of an hour in all. \
            Salvor's rescue VM, its agent and the machine's boot are real and come on top of that; az's script is \
            simulated, and is as long as its operation. A missed goal is said and is no failure.
            """)

    @Option(help: "Microsoft's az. Tests/python-environment says where one is.")
    var az: String

    @Option(help: "The folder for azure.json and what is needed on the way.")
    var output = ".build/bench"

    @Option(help: "A Markdown file whose table of figures is to be renewed.")
    var table: String?

    @Option(help: "The folder of salvor, azure-emulator and make-azure-guest.")
    var programs: String

    @Option(help: "The checkout, for the helpers in Python.")
    var checkout = "."

    /// What `salvor rescue --output json` says, as far as it matters.
    private struct Rescue: Decodable {
        struct Phase: Decodable {
            var step: String
            var seconds: Double
        }
        struct Machine: Decodable {
            struct Outcome: Decodable { var kind: String }
            var outcome: Outcome?
            var phases: [Phase]
        }
        var run: String
        var seconds: Double
        var machines: [Machine]
        var hosts: [Phase]
    }

    private struct Replay: Decodable {
        struct Process: Decodable {}
        var untilSwapped: Double
        var whole: Double
        var processes: [Process]
    }

    private struct Report: Decodable {
        struct Entry: Decodable {
            struct Call: Decodable { var changes: Bool }
            var call: Call
        }
        var calls: [Entry]
    }

    func run() async throws {
        let output = try Posix.absolute(FilePath(output))
        let programs = try Posix.absolute(FilePath(programs))
        try Posix.makeDirectories(output)
        let scratch = try Posix.makeTemporaryDirectory(in: output, prefix: ".bench-")
        defer { Posix.removeTree(scratch) }
        let host = try HostDescription()
        print(host.text)

        let vhd = scratch.appending("broken.vhd")
        var tools = ToolRunner()
        tools.searchPath.insert(programs, at: 0)
        _ = try await tools.output("salvor", ["image", "build", "--format", "vhd"])
        _ = try await tools.output("make-azure-guest", [vhd.string, "--broken-windows", "--vhd"])

        let (rescue, wall, calls) = try await salvor(vhd, programs, scratch)
        print("salvor rescue: \(wall.text(0)) s, \(calls) changing calls")
        var replays: [Replay] = []
        for provisions in [true, false] {
            let replay = try await azVMRepair(vhd, programs, scratch, provisions: provisions)
            print("az vm repair\(provisions ? "" : ", whose Windows is set up"): \(replay.whole.text(0)) s")
            replays.append(replay)
        }
        let boot = rescue.machines[0].phases.first { $0.step == "boot" }?.seconds ?? 0
        let untilSwapped = wall - boot
        func figure(_ measure: String, _ ours: Double, _ peer: Double, _ name: String) -> Figure {
            Figure(time: measure, ours: [ours], peer: [peer], peerName: name, goal: 0.5)
        }
        let processes = replays[0].processes.count
        try BenchReport(
            bench: "azure-bench", host: host,
            method:
                "One machine that runs, one round in real time; az vm repair is replayed with az in \(processes) processes; "
                + "the simulated times are below.",
            figures: [
                figure("repaired disk in place", untilSwapped, replays[0].untilSwapped, "az vm repair"),
                figure("and seen to boot, cleaned up", wall, replays[0].whole, "az vm repair"),
                figure(
                    "repaired disk in place", untilSwapped, replays[1].untilSwapped, "its Windows set up before"),
                Figure("changing calls, one machine", Double(calls), unit: "calls", goal: .atMost(7), digits: 0),
            ],
            details: [["operation", "time", "from"]] + SimulatedTimes.rows
        ).publish(json: output.appending("azure.json"), table: table.map { FilePath($0) })
    }

    /// The first rescue uploads the rescue image, which stays, and is not measured; nor does anything take time then.
    private func salvor(
        _ vhd: FilePath, _ programs: FilePath, _ scratch: FilePath
    ) async throws -> (rescue: Rescue, wall: Double, calls: Int) {
        let folder = scratch.appending("ours")
        try Posix.makeDirectories(folder)
        let helper = FilePath(checkout).appending("Coordinator/azure/demo/arm.py")
        let port = 7443 + Int.random(in: 1...5000)
        let real = ["--hypervisor", "qemu", "--reachable", "\(port)"]
        @Sendable func rescue(_ emulator: RunningEmulator, _ name: String) async throws -> (Rescue, Double) {
            let ground = Ground(emulator: emulator, helper: helper)
            var tools = ToolRunner(environment: try ground.environment(scratch))
            tools.searchPath.insert(programs, at: 0)
            let begun = ContinuousClock.now
            let bytes = try await tools.output(
                "salvor",
                [
                    "rescue", "\(Ground.group)/\(name)", "--provider", "azure", "--subscription",
                    emulator.subscription, "--arm-endpoint", emulator.base, "--ca-file", emulator.authority.string,
                    "--bind", "127.0.0.1", "--coordinator-port", "\(port)", "--advertise", "160.0.2.100", "--yes",
                    "--output", "json",
                ])
            let wall = (ContinuousClock.now - begun).seconds
            let rescue = try JSONDecoder().decode(Rescue.self, from: Data(bytes))
            guard rescue.machines.map({ $0.outcome?.kind }) == ["repaired"] else {
                throw BenchError("salvor did not rescue the machine: \(String(decoding: bytes, as: UTF8.self))")
            }
            return (rescue, wall)
        }
        let emulator = programs.appending("azure-emulator")
        try await RunningEmulator.with(emulator, in: folder, options: real) { running in
            let ground = Ground(emulator: running, helper: helper)
            try await ground.deletingMachines(onlyAfterFailure: true) {
                for name in ["first", Ground.machine] { try await ground.makeMachine(vhd, named: name, isReal: true) }
                _ = try await rescue(running, "first")
            }
        }
        return try await RunningEmulator.with(
            emulator, in: folder, options: real + SimulatedTimes.options(provisioning: true)
        ) { running in
            let ground = Ground(emulator: running, helper: helper)
            let (result, wall) = try await ground.deletingMachines { try await rescue(running, Ground.machine) }
            var tools = ToolRunner(environment: ["SALVOR_HOME": scratch.appending("salvor").string])
            tools.searchPath.insert(programs, at: 0)
            let file = scratch.appending("report.json")
            _ = try await tools.output(
                "salvor", ["report", "export", result.run, "--format", "json", "-o", file.string])
            let report = try JSONDecoder().decode(Report.self, from: Data(try Posix.read(file)))
            let calls = report.calls.count { $0.call.changes }
            return (result, wall, calls)
        }
    }

    private func azVMRepair(
        _ vhd: FilePath, _ programs: FilePath, _ scratch: FilePath, provisions: Bool
    ) async throws -> Replay {
        let folder = scratch.appending(provisions ? "theirs" : "theirs-set-up")
        try Posix.makeDirectories(folder)
        let checkout = FilePath(checkout)
        let az = az
        return try await RunningEmulator.with(
            programs.appending("azure-emulator"), in: folder,
            options: SimulatedTimes.options(provisioning: provisions)
        ) { running in
            let ground = Ground(
                emulator: running, helper: checkout.appending("Coordinator/azure/demo/arm.py"))
            try await ground.makeMachine(vhd, isReal: false)
            let output = try await ToolRunner().output(
                "python3",
                [checkout.appending("Tests/azure-bench/az_vm_repair.py").string, az] + ground.azAccount
                    + [folder.string, Ground.group, Ground.machine])
            return try JSONDecoder().decode(Replay.self, from: Data(output))
        }
    }
}

extension Duration {
    fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
