import ArgumentParser
import BenchFigures
import SalvorImage
import SystemPackage

/// Measures a rescue beside guestfish and beside the floor, in turns on one disk, and the sizes of what is shipped.
@main
struct RescueBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rescue-bench",
        abstract: "Measure a rescue beside guestfish and beside the least that a virtual machine can do.",
        discussion: """
            All three delete the same file from the same disk, in turns, so that what else the machine does hits them \
            alike. Whether the file is gone, and no other, is looked at after each, outside the measured time.
            A missed goal is said and is no failure.
            """)

    @Option(help: "Measured rounds of salvor, guestfish and the floor.")
    var rounds = 5

    @Option(help: "Files on C: besides those that matter.")
    var files = 3000

    @Option(help: "The folder for rescue.json and what is needed on the way.")
    var output = ".build/bench"

    @Option(help: "A Markdown file whose table of figures is to be renewed.")
    var table: String?

    @Option(help: "The folder of salvor, salvor-agent and make-broken-machine. [default: this program's own]")
    var programs: String?

    func validate() throws {
        guard rounds > 0 else { throw ValidationError("At least one round is needed.") }
    }

    func run() async throws {
        let output = try Posix.absolute(FilePath(output))
        let own = FilePath(try Posix.destination(ofSymlink: "/proc/self/exe")).removingLastComponent()
        let programs = try programs.map { try Posix.absolute(FilePath($0)) } ?? own
        try Posix.makeDirectories(output)
        let scratch = try Posix.makeTemporaryDirectory(in: output, prefix: ".bench-")
        defer { Posix.removeTree(scratch) }

        let salvor = try await SalvorRescue(programs: programs, scratch: scratch)
        let version = try await ToolRunner().output("qemu-system-x86_64", ["--version"])
        let host = try HostDescription([
            String(String(decoding: version, as: UTF8.self).prefix { $0 != "\n" }),
            salvor.usesKVM ? "KVM" : "TCG (translation; KVM does not work here)",
        ])
        print(host.text)
        let disk = try await BenchDisk(programs: programs, scratch: scratch, files: files)
        let floor = try await Floor(rescueKernel: salvor.kernel, usesKVM: salvor.usesKVM)
        let contenders: [any Contender] = [salvor, Guestfish(usesKVM: salvor.usesKVM), floor]

        var times: [[Double]] = contenders.map { _ in [] }
        for round in 0...rounds {
            for (index, contender) in contenders.enumerated() {
                let seconds = try await contender.deleteFaultyFile(from: disk)
                if round > 0 { times[index].append(seconds) }
                let name = round == 0 ? "warm-up" : "round \(round)"
                print("\(name): \(contender.name) \(seconds.text(2)) s (load \(HostDescription.load))")
            }
        }

        var figures = [
            Figure(time: "rescue", ours: times[0], peer: times[1], peerName: contenders[1].name, goal: 0.4),
            Figure(time: "rescue", ours: times[0], peer: times[2], peerName: contenders[2].name, goal: 1.5),
        ]
        figures += try await Sizes(agent: programs.appending("salvor-agent"), initramfs: salvor.initramfs).figures()
        let phases = await salvor.phases.map { [$0.step, "\($0.seconds.median.text(2)) s"] }
        try BenchReport(
            bench: "rescue-bench", host: host,
            method:
                "Medians of \(rounds) rounds after a warm-up, ratios taken round by round; \(files) files on the disk.",
            figures: figures, details: [["phase of the rescue", "median"]] + phases
        ).publish(json: output.appending("rescue.json"), table: table.map { FilePath($0) })
    }
}
