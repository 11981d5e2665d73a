import ArgumentParser
import BenchFigures
import SalvorImage
import SalvorJSON
import SystemPackage

/// Measures azure-emulator: how many requests it answers, how long a long list takes, and what it weighs.
@main
struct EmulatorBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "emulator-bench",
        abstract: "Measure how fast azure-emulator answers, with simulated machines, and what it weighs.",
        discussion: """
            wrk asks by HTTPS over 32 connections kept open, from the same machine: its own work is in the figures. \
            Each answer has to be a success; one that is none ends the bench. A missed goal is said and is no failure.
            """)

    @Option(help: "Seconds that each kind of request is measured for.")
    var seconds = 5

    @Option(help: "The folder for emulator.json and what is needed on the way.")
    var output = ".build/bench"

    @Option(help: "A Markdown file whose table of figures is to be renewed.")
    var table: String?

    @Option(help: "The folder of azure-emulator. [default: this program's own]")
    var programs: String?

    private static let machines = 2000
    private static let resources = 10_000

    func validate() throws {
        guard seconds > 0 else { throw ValidationError("At least one second is needed.") }
    }

    func run() async throws {
        let output = try Posix.absolute(FilePath(output))
        let own = FilePath(try Posix.destination(ofSymlink: "/proc/self/exe")).removingLastComponent()
        let programs = try programs.map { try Posix.absolute(FilePath($0)) } ?? own
        try Posix.makeDirectories(output)
        let scratch = try Posix.makeTemporaryDirectory(in: output, prefix: ".bench-")
        defer { Posix.removeTree(scratch) }
        let host = try HostDescription()
        print(host.text)

        let figures = try await RunningEmulator.with(programs.appending("azure-emulator"), in: scratch) { emulator in
            let load = try await Load(emulator, scratch: scratch)
            var figures: [Figure] = []
            try await load.makeMachines(Self.machines)
            let disk = "\(Load.compute)/disks/vm1-os"
            let gets = try await load.repeated(.get(disk), seconds: seconds)
            print("GET of one disk: \(gets.perSecond.text(0))/s")
            figures.append(Figure("GET", gets.perSecond, unit: "requests/s", goal: .atLeast(3000), digits: 0))

            let list = try await load.repeated(
                .get("\(Load.compute)/virtualMachines"), connections: 1, seconds: seconds)
            print("list of \(Self.machines) machines: \(list.medianMilliseconds.text(0)) ms")
            figures.append(
                Figure(
                    "list of 2,000 machines", list.medianMilliseconds, unit: "ms", goal: .atMost(200), digits: 0))

            let puts = try await load.makeDisks(seconds: seconds)
            while load.made < Self.resources { _ = try await load.makeDisks(seconds: 1) }
            print("PUT of a new disk: \(puts.perSecond.text(0))/s")
            figures.append(Figure("PUT", puts.perSecond, unit: "requests/s", goal: .atLeast(500), digits: 0))

            let weight = try emulator.residentMegabytes()
            print("resident with \(load.made) resources: \(weight.text(0)) MB")
            figures.append(
                Figure("RSS with 10,000 resources", weight, unit: "MB", goal: .atMost(300), digits: 0))
            return figures
        }
        try BenchReport(
            bench: "emulator-bench", host: host,
            method:
                "wrk, 32 connections (1 for the list), \(seconds) s each; HTTPS; --hypervisor none, --throttling off.",
            figures: figures
        ).publish(json: output.appending("emulator.json"), table: table.map { FilePath($0) })
    }
}
