import ArgumentParser
import BenchFigures
import Fixtures
import SalvorImage
import SystemPackage

/// Measures how one rescue VM deals with many disks, and with a folder of very many files.
@main
struct DiskBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disk-bench",
        abstract: "Measure 1, 4 and 16 disks on one rescue VM, and a folder of 100,000 files.",
        discussion: """
            The time is that of the agent's work: from the begin of the first scan to the end of the last verification, by
            the audit log. A missed goal is said and is no failure.
            """)

    @Option(help: "Measured rounds.")
    var rounds = 2

    @Option(help: "Files on C: of each disk besides those that matter.")
    var files = 300

    @Option(help: "The folder for disks.json and what is needed on the way.")
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
        let scratch = try Posix.makeTemporaryDirectory(in: output, prefix: ".disks-")
        defer { Posix.removeTree(scratch) }
        let version = try await ToolRunner().output("qemu-system-x86_64", ["--version"])
        let host = try HostDescription([String(String(decoding: version, as: UTF8.self).prefix { $0 != "\n" })])
        print(host.text)

        let folder = try await folderTimes(scratch)
        let counts = [1, 4, 16]
        let disks = try await ManyDisks(programs: programs, scratch: scratch, most: counts.max() ?? 1, files: files)
        var times: [Int: [Double]] = [:]
        var scans: [Int: [Double]] = [:]
        var memory = 0.0
        for round in 0...rounds {
            for count in counts {
                let scan = try await disks.scan(count)
                let result = try await disks.repair(count)
                print(
                    "\(round == 0 ? "warm-up" : "round \(round)"): \(count) disks \(result.seconds.text(2)) s, "
                        + "\(result.megabytes.text(1)) MB, scan \(scan.text(2)) s (load \(HostDescription.load))")
                if round > 0 {
                    times[count, default: []].append(result.seconds)
                    scans[count, default: []].append(scan)
                }
                if count == counts.max() { memory = max(memory, result.megabytes) }
            }
        }
        let one = times[1] ?? []
        let figures = [
            Figure(
                time: "16 disks scanned", ours: scans[16] ?? [], peer: scans[1] ?? [], peerName: "one disk", goal: 2),
            Figure(time: "16 disks repaired", ours: times[16] ?? [], peer: one, peerName: "one disk", goal: 2),
            Figure(time: "4 disks repaired", ours: times[4] ?? [], peer: one, peerName: "one disk", goal: 2),
            Figure(
                time: "a folder of 100,000 files", ours: folder.scan, peer: folder.find, peerName: "find", goal: 1.5),
            Figure("the agent's memory with 16 disks", memory, unit: "MB", goal: .atMost(30)),
        ]
        try BenchReport(
            bench: "disk-bench", host: host,
            method: "Medians of \(rounds) rounds after a warm-up; \(files) files on each disk.", figures: figures
        ).publish(json: output.appending("disks.json"), table: table.map { FilePath($0) })
    }

    private func folderTimes(_ scratch: FilePath) async throws -> (scan: [Double], find: [Double]) {
        let folder = try await LargeFolder.mount(scratch: scratch)
        var scan: [Double] = []
        var find: [Double] = []
        do {
            for round in 0...max(rounds, 5) {
                let ours = try folder.scan()
                let theirs = try await folder.find()
                print("100,000 files: scan \(ours.text(3)) s, find \(theirs.text(3)) s")
                if round > 0 {
                    scan.append(ours)
                    find.append(theirs)
                }
            }
        } catch {
            try? await folder.unmount()
            throw error
        }
        try await folder.unmount()
        return (scan, find)
    }
}
