import CLinux
import Glibc
import SalvorMessages
import SwiftProtobuf
import Testing

@testable import SalvorAgentCore

struct QuarantineTests {
    let scratch: Scratch
    let store: QuarantineStore

    init() throws {
        scratch = try Scratch()
        store = QuarantineStore(directory: "\(scratch.path)/q", budgetBytes: 1 << 20)
    }

    @Test("What other quarantines hold counts against the budget")
    func budget() throws {
        let writer = try store.begin("a", files: 1, bytes: 100_000)
        do {
            let file = try Descriptor.open(QuarantineWriter.content(0, in: writer.path), O_RDWR | O_CREAT)
            try #require(ftruncate(file.number, 1_000_000) == 0)
        }
        #expect(throws: AgentError(.quarantineFull, "", next: "")) { try store.begin("b", files: 1, bytes: 100_000) }
        try store.discard("a")
        _ = try store.begin("b", files: 1, bytes: 100_000)
    }

    @Test(
        "A manifest that cannot be read is damage, not an empty quarantine",
        arguments: [[5, 0, 0, 0, 1], [1], [2, 0, 0, 0, 255, 255]])
    func damaged(manifest: [UInt8]) throws {
        let writer = try store.begin("a", files: 0, bytes: 0)
        do {
            let file = try Descriptor.open(QuarantineWriter.manifest(in: writer.path), O_RDWR | O_CREAT)
            try #require(write(file.number, manifest, manifest.count) == manifest.count)
        }
        #expect(throws: AgentError(.quarantineDamaged, "", next: "")) { try store.entries(of: "a") }
    }

    @Test("A quarantine is for root alone")
    func permissions() throws {
        let writer = try store.begin("a", files: 0, bytes: 0)
        var status = stat()
        try #require(stat(writer.path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
    }
}
