import Glibc
import SalvorJSON
import Testing

@testable import AzureEmulator

private let disks = DiskGround.disks
private let later = ["microsoft.compute/disks/create": Duration.seconds(60)]

@Suite struct ContentTests {
    private let bytes = Array("what was written".utf8)

    /// A disk in a group of its own, with some bytes.
    private func makeSource(_ ground: DiskGround) async throws -> String {
        try await ground.azure.makeGroup()
        try await ground.azure.makeGroup("other")
        try await ground.azure.makeDisk("d", group: "other")
        try await ground.finish()
        let source = "resourceGroups/other/providers/Microsoft.Compute/disks/d"
        let content = try ground.content(source)
        try await ground.contents.materialise(content, bytes: 8 << 30)
        try await ground.contents.write(bytes, at: 1 << 20, to: content)
        return source
    }

    @Test("A group that goes while one of its disks is being copied takes no byte of the copy along")
    func groupGoes() async throws {
        let ground = try DiskGround(latencyOf: later)
        let source = try await makeSource(ground)
        #expect(try await ground.copy(source, to: "\(disks)/copy").status == 202)
        #expect(try await ground.azure("DELETE", source).code == "OperationNotAllowed")
        #expect(try await ground.azure("DELETE", "resourceGroups/other").status == 202)
        try await ground.finish()
        #expect(try await ground.azure("GET", source).status == 404)
        ground.azure.pass(.seconds(60))
        try await ground.finish()
        #expect(
            try await ground.azure("GET", "\(disks)/copy").json[path: "properties.provisioningState"] == "Succeeded")
        let copy = try ground.content("\(disks)/copy")
        #expect(try await ground.contents.read(copy, 1 << 20..<(1 << 20) + 16) == bytes)
        #expect(ground.folder.names("disks") == [copy])
    }

    @Test("A copy whose disk goes while it is made leaves no file")
    func targetGoes() async throws {
        let ground = try DiskGround(latencyOf: later)
        let source = try await makeSource(ground)
        #expect(try await ground.copy(source, to: "\(disks)/copy").status == 202)
        #expect(try await ground.azure("DELETE", "resourceGroups/rg").status == 202)
        ground.azure.pass(.seconds(60))
        // The group waits for the copy, and then takes it along.
        try await ground.finish()
        try await ground.finish()
        #expect(ground.folder.names("disks") == [try ground.content(source)])
    }

    enum Crash: CaseIterable { case beforeTheCopy, inTheCopy, betweenCopyAndCompletion }

    @Test("A copy goes on after a crash, wherever it came", arguments: Crash.allCases)
    func crash(_ crash: Crash) async throws {
        let first = try DiskGround(latencyOf: later)
        let source = try await makeSource(first)
        #expect(try await first.copy(source, to: "\(disks)/copy").status == 202)
        let (old, new) = (try first.content(source), try first.content("\(disks)/copy"))
        switch crash {
        case .beforeTheCopy: break
        case .inTheCopy: try await first.contents.materialise(new + ".partial", bytes: 512)
        case .betweenCopyAndCompletion:
            try await first.contents.copy(from: old, to: new, bytes: 8 << 30)
            // What is written from now on is not of the copy any more.
            try await first.contents.write([0], at: 1 << 20, to: old)
        }
        // The source's group went, and the crash came before its files did.
        #expect(try await first.azure("DELETE", "resourceGroups/other").status == 202)
        try await first.finish()

        let second = try DiskGround(after: first, latencyOf: later)
        #expect(
            second.folder.names("disks").sorted() == (crash == .betweenCopyAndCompletion ? [new, old] : [old]).sorted())
        second.azure.pass(.seconds(600))
        try await second.finish()
        let copy = try await second.azure("GET", "\(disks)/copy").json
        #expect(copy[path: "properties.provisioningState"] == "Succeeded")
        #expect(try await second.contents.read(new, 1 << 20..<(1 << 20) + 16) == bytes)
        #expect(second.folder.names("disks") == [new])
    }

    @Test("A cancelled copy leaves nothing")
    func cancelled() async throws {
        let ground = try DiskGround()
        try await ground.contents.materialise("source", bytes: 1 << 20)
        try await ground.contents.write(bytes, at: 0, to: "source")
        let contents = ground.contents
        let task = Task {
            // Cancelled before it begins, so that the test depends on no time.
            withUnsafeCurrentTask { $0?.cancel() }
            try await contents.copy(from: "source", to: "target", bytes: 1 << 20)
        }
        await #expect(throws: ARMError.self) { try await task.value }
        #expect(ground.folder.names("disks") == ["source"])
    }

    @Test(
        "A copy takes no more space than its source, and a full disk leaves nothing half-made",
        .enabled(if: Tmpfs.works))
    func full() async throws {
        let small = try Tmpfs(mebibytes: 4)
        let contents = try DiskContents(folder: small.path + "/disks")
        try await contents.materialise("source", bytes: 1 << 40)
        try await contents.write([UInt8](repeating: 1, count: 1 << 20), at: 1 << 39, to: "source")
        try await contents.copy(from: "source", to: "one", bytes: 1 << 40)
        #expect(try await contents.allocated("one", in: 0..<1 << 40) == [1 << 39..<(1 << 39) + 1 << 20])
        try await contents.write([UInt8](repeating: 2, count: 1 << 20), at: 0, to: "source")
        let refusal = await #expect(throws: ARMError.self) {
            try await contents.copy(from: "source", to: "two", bytes: 1 << 40)
        }
        #expect(refusal?.status == 500 && refusal?.code == "InternalServerError")
        #expect(refusal?.message.contains("disk is full") == true)
        #expect(small.folder.names("disks") == ["one", "source"])
        await #expect(throws: ARMError.self) {
            try await contents.write([UInt8](repeating: 1, count: 2 << 20), at: 0, to: "one")
        }
    }
}

/// A file system of a few MiB, where the tests may make one.
private final class Tmpfs: Sendable {
    let folder: TestFolder
    var path: String { folder.path }

    static let works: Bool = (try? Tmpfs(mebibytes: 1)) != nil

    init(mebibytes: Int) throws {
        folder = try TestFolder()
        guard mount("tmpfs", folder.path, "tmpfs", 0, "size=\(mebibytes)m") == 0 else { throw NotAllowed() }
    }

    deinit { umount2(folder.path, Int32(MNT_DETACH)) }

    private struct NotAllowed: Error {}
}
