import Foundation
import SalvorAudit
import SalvorDigest
import SalvorMessages
import Testing

@testable import SalvorCoordinatorCore

@Suite struct QuarantineStoreTests {
    private let folder: TemporaryFolder
    private var path: String { "\(folder.path)/quarantine/m1" }

    init() throws { folder = try TemporaryFolder() }

    private func entry(_ path: [String], _ data: [UInt8], size: UInt64? = nil, sha256: Digest? = nil)
        -> Salvor_V1_QuarantineEntry
    {
        var entry = Salvor_V1_QuarantineEntry()
        entry.path = path
        entry.sizeBytes = size ?? UInt64(data.count)
        entry.sha256 = Data((sha256 ?? SHA256.digest(of: data)).bytes)
        entry.times.modified = 133_658_357_400_000_000
        entry.attributes = 0x20
        entry.securityDescriptor = Data([1, 0, 4, 0x80])
        entry.volumeNumber = 3
        return entry
    }

    private func store(_ limits: QuarantineStore.Limits = .init()) -> QuarantineStore {
        QuarantineStore(folder: path, run: "r1", machine: "m1", limits: limits)
    }

    private func names() -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    @Test func `a file is stored under its digest, its metadata in the manifest`() async throws {
        let data: [UInt8] = [1, 2, 3, 4]
        let store = store()
        try await store.begin(entry(["Windows", "x.sys"], data))
        try await store.append([1, 2])
        try await store.append([3, 4])
        try await store.end()
        let name = "\(SHA256.digest(of: data).hex).bin"
        #expect(names() == [name, "manifest.json"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")) == Data(data))
        let manifest: QuarantineManifest = try JSONText.decode(
            from: try String(contentsOfFile: "\(path)/manifest.json", encoding: .utf8))
        #expect(manifest.files.map(\.path.components) == [["Windows", "x.sys"]])
        #expect(manifest.files[0].times.modified.rfc3339 == "2024-07-19T04:09:00.0000000Z")
        #expect(manifest.files[0].attributes == 0x20)
        #expect(manifest.files[0].securityDescriptor == "01000480")
        #expect(manifest.files[0].volumeNumber == 3)
    }

    @Test(arguments: [["..", "..", "etc", "passwd"], ["/etc/passwd"], ["a\u{0}b"], [""], [], ["manifest.json"]])
    func `a hostile path goes nowhere but into the manifest`(hostile: [String]) async throws {
        let store = store()
        try await store.begin(entry(hostile, [7]))
        try await store.append([7])
        try await store.end()
        #expect(names() == ["\(SHA256.digest(of: [7]).hex).bin", "manifest.json"])
        let manifest: QuarantineManifest = try JSONText.decode(
            from: try String(contentsOfFile: "\(path)/manifest.json", encoding: .utf8))
        #expect(manifest.files[0].path.components == hostile)
    }

    @Test func `another SHA-256 than announced, too little and too much are refused, and nothing stays`() async throws {
        let mismatch = CoordinatorError(.quarantineMismatch, "", nextStep: "")
        var store = store()
        try await store.begin(entry(["a"], [1], sha256: SHA256.digest(of: [2])))
        try await store.append([1])
        await #expect(throws: mismatch) { try await store.end() }
        #expect(names() == [])

        store = self.store()
        try await store.begin(entry(["a"], [1], size: 2))
        try await store.append([1])
        await #expect(throws: mismatch) { try await store.end() }
        #expect(names() == [])

        store = self.store()
        try await store.begin(entry(["a"], [1]))
        await #expect(throws: mismatch) { try await store.append([1, 2]) }
    }

    @Test func `data without an entry and an entry without a digest are refused`() async throws {
        let mismatch = CoordinatorError(.quarantineMismatch, "", nextStep: "")
        let empty = store()
        await #expect(throws: mismatch) { try await empty.append([1]) }
        var entry = Salvor_V1_QuarantineEntry()
        entry.sha256 = Data([1])
        let bad = entry
        await #expect(throws: mismatch) { try await empty.begin(bad) }
    }

    @Test func `a quarantine that would not end is stopped before it fills the disk`() async throws {
        var limits = QuarantineStore.Limits()
        limits.bytes = 10
        limits.files = 2
        let full = CoordinatorError(.noSpace, "", nextStep: "")
        let small = store(limits)
        await #expect(throws: full) { try await small.begin(entry(["a"], [], size: 11)) }
        try await small.begin(entry(["a"], [], size: 0))
        try await small.begin(entry(["b"], [], size: 0))
        await #expect(throws: full) { try await small.begin(entry(["c"], [], size: 0)) }
    }

    @Test func `no room on the disk is told apart from other trouble`() {
        #expect(PrivateFiles.failure("x", ENOSPC).code == .noSpace)
        #expect(PrivateFiles.failure("x", EDQUOT).code == .noSpace)
        #expect(PrivateFiles.failure("x", EACCES).code == .state)
    }

    @Test func `the same content twice is stored once and listed twice`() async throws {
        let store = store()
        for name in ["a", "b"] {
            try await store.begin(entry([name], [9]))
            try await store.append([9])
        }
        try await store.end()
        #expect(names().count == 2)
        let stored = await store.files.map(\.path.components)
        #expect(stored == [["a"], ["b"]])
    }
}
