import Fixtures
import SalvorImage
import SystemPackage

/// The disk that all contenders repair copies of, and what it holds.
struct BenchDisk: Sendable {
    static let machine = "bench-01"

    /// The folder of its `inventory`.
    let folder: FilePath
    let path: FilePath
    private let before: TreeSnapshot
    private let tools = ToolRunner()

    init(programs: FilePath, scratch: FilePath, files: Int) async throws {
        folder = scratch.appending("machine")
        // Its stand-in guest comes from the cache that the floor's image is kept in.
        try await ToolRunner(searchPath: [programs]).output(
            "make-broken-machine",
            [
                folder.string, "--name", Self.machine, "--files", String(files), "--cache",
                ImageBuilder.defaultCacheDirectory.string,
            ])
        path = folder.appending("disks").appending("\(Self.machine).raw")
        before = try await TreeSnapshot.take(of: path)
    }

    /// Gives `body` a new qcow2 overlay of the disk, checks what it has become, and removes it.
    func withOverlay(_ body: (FilePath) async throws -> Double) async throws -> Double {
        let overlay = folder.appending("overlay.qcow2")
        try await tools.output(
            "qemu-img", ["create", "-q", "-f", "qcow2", "-b", path.string, "-F", "raw", overlay.string])
        defer { Posix.removeTree(overlay) }
        let seconds = try await body(overlay)
        try await check(overlay)
        return seconds
    }

    /// Fails unless the faulty file is gone from the copy, and nothing else has gone, come or changed but the folder it
    /// was in.
    func check(_ overlay: FilePath) async throws {
        let raw = FilePath(overlay.string + ".raw")
        defer { Posix.removeTree(raw) }
        try await DiskMaker().convert(overlay, to: raw, format: "raw")
        let differences = before.differences(to: try await TreeSnapshot.take(of: raw))
        let gone = "gone: \(ChannelFile.folder)/\(ChannelFile.faulty)"
        let unexpected = differences.filter { $0 != gone && $0 != "changed: \(ChannelFile.folder)" }
        guard differences.contains(gone), unexpected.isEmpty else {
            throw FixtureError(
                "\(overlay) is not what the deletion of \(ChannelFile.faulty) makes of the disk: "
                    + (differences.isEmpty ? "nothing has changed" : differences.joined(separator: "; ")))
        }
    }
}
