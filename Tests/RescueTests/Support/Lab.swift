import Fixtures
import SalvorDigest
import SalvorImage
import Subprocess
import SystemPackage
import Testing

/// One test's own folder, with an inventory, disks and a state folder in it, and the commands that work on them.
struct Lab: Sendable {
    let folder: FilePath
    let program: FilePath

    /// Short: a path to a UNIX socket below it has at most 107 bytes.
    var state: FilePath { folder.appending("state") }
    var inventory: FilePath { folder.appending("fleet") }
    var disks: FilePath { folder.appending("disks") }
    /// Where the commands find room for temporary files, so that none is left unseen.
    var temporary: FilePath { folder.appending("tmp") }
    var environment: [String: String] { ["SALVOR_HOME": state.string, "TMPDIR": temporary.string] }

    /// Makes the folder, and removes it whatever becomes of the test.
    static func run(_ body: (Lab) async throws -> Void) async throws {
        let program = try SalvorProgram.find()
        let lab = Lab(folder: try Posix.makeTemporaryDirectory(in: "/tmp", prefix: "salvor-"), program: program)
        defer { lab.clear() }
        try Posix.makeDirectories(lab.inventory)
        try Posix.makeDirectories(lab.disks)
        try Posix.makeDirectories(lab.temporary)
        try await body(lab)
    }

    /// Runs `salvor` with this lab's state folder.
    @discardableResult
    func salvor(
        _ arguments: String..., environment: [String: String] = [:], timeout: Duration = .seconds(150),
        onLine: @escaping @Sendable (String, RunningCommand) async throws -> Void = { _, _ in }
    ) async throws -> CommandResult {
        try await Command.run(
            program, arguments,
            environment: self.environment.merging(environment) { _, given in given },
            in: folder, timeout: timeout, onLine: onLine)
    }

    /// `salvor rescue` of these machines, with an answer for programs.
    func rescue(
        _ names: [String], extra: [String] = ["--yes"], terminal: Terminal? = nil,
        onLine: @escaping @Sendable (String, RunningCommand) async throws -> Void = { _, _ in }
    ) async throws -> CommandResult {
        try await Command.run(
            program, ["rescue"] + names + ["--inventory", inventory.string, "--output", "json"] + extra,
            environment: environment, in: folder, terminal: terminal, timeout: .seconds(280), onLine: onLine)
    }

    /// What speaks of this lab and should not be there when nothing runs: processes, mounts, loop
    /// devices, temporary files.
    func leftovers() -> [String] {
        var found = ProcessTable.entries(naming: folder).map { "process \($0)" }
        let mounts = (try? Posix.read("/proc/self/mounts")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        found += mounts.split(separator: "\n").filter { $0.contains(folder.string) }.map { "mount \($0)" }
        found += ((try? Posix.names(in: temporary)) ?? []).map { "temporary file \($0)" }
        for name in (try? Posix.names(in: "/sys/block")) ?? [] where name.hasPrefix("loop") {
            let backing = try? Posix.read(FilePath("/sys/block/\(name)/loop/backing_file"))
            let file = backing.map { String(decoding: $0, as: UTF8.self) } ?? ""
            if file.contains(folder.string) { found.append("loop device \(name) over \(file)") }
        }
        return found
    }

    private func clear() {
        for entry in ProcessTable.entries(naming: folder) { try? ProcessTable.send(.kill, to: entry.pid) }
        Posix.removeTree(folder)
    }
}
