import Foundation
import SalvorJSON
import Synchronization
import Testing

@testable import AzureEmulator

/// An emulator with disks that have bytes.
struct DiskGround: Sendable {
    static let root = "/subscriptions/\(TestEmulator.subscription)"
    static let disks = "resourceGroups/rg/providers/Microsoft.Compute/disks"
    static let snapshots = "resourceGroups/rg/providers/Microsoft.Compute/snapshots"
    /// Bytes of an upload, without its footer.
    static let content: Int64 = 20 << 20

    let folder: TestFolder
    let contents: DiskContents
    let azure: TestEmulator

    /// - Parameters:
    ///   - before: whose folder is used again, as after a crash.
    ///   - latencyOf: by lower-cased `type/verb`.
    init(after before: DiskGround? = nil, latencyOf: [String: Duration] = [:]) throws {
        folder = try before?.folder ?? TestFolder()
        contents = try DiskContents(folder: folder.path + "/disks")
        azure = try TestEmulator(
            path: folder.path + "/state", latencyOf: latencyOf, equipment: Equipment(contents: contents),
            ids: before == nil ? "op" : "later")
    }

    /// Begins to make a disk or snapshot as a copy of a disk.
    func copy(_ source: String, to target: String, _ change: JSONValue = [:]) async throws -> TestEmulator.Reply {
        let body: JSONValue = [
            "location": "westeurope",
            "properties": [
                "creationData": ["createOption": "Copy", "sourceResourceId": .string("\(Self.root)/\(source)")]
            ],
        ]
        return try await azure("PUT", target, body.merged(with: change))
    }

    /// The content of a disk or snapshot.
    func content(_ path: String) throws -> String {
        let id = try #require(ResourceID("\(Self.root)/\(path)"))
        let record = try #require(azure.emulator.core.withLock { $0.state[id] })
        return try #require(DiskContents.id(of: record))
    }

    /// Lets an operation do its work.
    func finish() async throws {
        _ = try await azure("GET", "resourcegroups")
        await azure.emulator.settle()
    }

    func makeUpload(_ name: String = "up") async throws {
        let body: JSONValue = [
            "location": "westeurope",
            "properties": [
                "creationData": ["createOption": "Upload", "uploadSizeBytes": .integer(Self.content + 512)]
            ],
        ]
        #expect(try await azure("PUT", "\(Self.disks)/\(name)", body).status == 202)
        try await finish()
    }

    /// The address that a grant gives.
    func grant(_ path: String, access: String = "Write", seconds: Int64 = 600) async throws -> String {
        let body: JSONValue = ["access": .string(access), "durationInSeconds": .integer(seconds)]
        let reply = try await azure("POST", "\(path)/beginGetAccess", body)
        #expect(reply.status == 202, "\(reply.json)")
        try await finish()
        let done = try await azure.follow(reply, "Location")
        return try #require(done.json["accessSAS"]?.string)
    }

    func revoke(_ path: String) async throws -> TestEmulator.Reply {
        let reply = try await azure("POST", "\(path)/endGetAccess")
        #expect(reply.status == 202, "\(reply.json)")
        try await finish()
        return try await azure.follow(reply, "Azure-AsyncOperation")
    }

    func state(_ path: String) async throws -> String? {
        try await azure("GET", path).json[path: "properties.diskState"]?.string
    }

    func blob(
        _ method: String, _ address: String, _ range: Range<Int64>? = nil, comp: String? = nil, write: String? = nil,
        body: [UInt8] = [], change: (name: String, value: String)? = nil, headers more: [String: String] = [:]
    ) async -> EmulatorResponse {
        let rest = address.dropFirst("https://localhost:8443".count)
        let halves = rest.split(separator: "?", maxSplits: 1)
        var query: [String: String] = [:]
        for pair in halves[1].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            query[String(parts[0])] = parts[1].removingPercentEncoding
        }
        if let change { query[change.name] = change.value }
        query["comp"] = comp
        var headers = ["x-ms-version": "2023-11-03"]
        if let range { headers["x-ms-range"] = "bytes=\(range.lowerBound)-\(range.upperBound - 1)" }
        headers["x-ms-page-write"] = write
        headers.merge(more) { $1 }
        return await azure.emulator.answer(
            EmulatorRequest(method, String(halves[0]), query: query, headers: headers, body: body))
    }

    func write(_ bytes: [UInt8], at offset: Int64, to address: String) async -> EmulatorResponse {
        await blob(
            "PUT", address, offset..<offset + Int64(bytes.count), comp: "page", write: "update", body: bytes)
    }

    /// The footer of a fixed disk.
    static func footer(of size: Int64) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 512)
        bytes.replaceSubrange(0..<8, with: Array("conectix".utf8))
        bytes.replaceSubrange(8..<16, with: [0, 0, 0, 2, 0, 1, 0, 0])
        bytes.replaceSubrange(16..<24, with: [UInt8](repeating: 0xFF, count: 8))
        for place in [40, 48] {
            for index in 0..<8 { bytes[place + index] = UInt8(truncatingIfNeeded: size >> (56 - 8 * Int64(index))) }
        }
        bytes[63] = 2
        let sum = ~bytes.reduce(UInt32(0)) { $0 &+ UInt32($1) }
        for index in 0..<4 { bytes[64 + index] = UInt8(truncatingIfNeeded: sum >> (24 - 8 * UInt32(index))) }
        return bytes
    }
}

extension EmulatorResponse {
    func all() async throws -> [UInt8] {
        guard let stream else { return body }
        return try await stream.read(0..<stream.bytes)
    }

    var storageCode: String? { self[header: "x-ms-error-code"] }
}
