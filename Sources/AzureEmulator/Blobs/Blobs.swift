internal import Foundation
internal import SalvorDigest
internal import SalvorJSON

/// The page blobs behind shared access signatures: reading a disk or snapshot, writing an upload.
struct Blobs: Endpoint {
    static let largestWrite = 4 << 20
    static let page: Int64 = 512

    func answer(
        _ request: EmulatorRequest, _ segments: [String], _ now: EmulatorTime, _ emulator: Emulator
    ) async throws(ARMError) -> EmulatorResponse? {
        guard let content = BlobPath.content(segments) else { return nil }
        let record = try await emulator.commit(now) { (state) throws(ARMError) in state.owner(ofContent: content) }
        var response: EmulatorResponse
        do {
            guard let contents = emulator.equipment.contents else { throw BlobError.forbidden }
            let blob = try await Blob(record, content, contents, request, now).current()
            response = try await Self.answer(request, blob)
        } catch let error as BlobError {
            response = error.response
        } catch let error as ARMError {
            response = BlobError(500, "InternalError", error.message).response
        } catch {
            response = BlobError(500, "InternalError", "Server encountered an internal error.").response
        }
        response.headers += [
            ("x-ms-version", request.headers["x-ms-version"].map(printable) ?? "2018-03-28"), ("Server", "Blob"),
        ]
        // Storage's clients tell by it that an answer is to their request.
        if let id = request.headers["x-ms-client-request-id"] {
            response.headers.append(("x-ms-client-request-id", printable(id)))
        }
        return response
    }

    private static func answer(_ request: EmulatorRequest, _ blob: Blob) async throws -> EmulatorResponse {
        try checkConditions(request, blob)
        switch (request.method, request.query["comp"]?.lowercased()) {
        case ("HEAD", nil):
            return EmulatorResponse(200, headers: blob.headers + [("Content-Length", "\(blob.size)")])
        case ("GET", nil): return try await read(request, blob)
        case ("GET", "pagelist"): return try await pages(request, blob)
        case ("PUT", "page"): return try await write(request, blob)
        default: throw BlobError.notHere
        }
    }

    /// - Throws: 412 where the client knows another version; 304 where it knows this one.
    private static func checkConditions(_ request: EmulatorRequest, _ blob: Blob) throws {
        if let wanted = request.headers["if-match"], wanted != "*", wanted != blob.etag { throw BlobError.otherVersion }
        if let known = request.headers["if-none-match"], known == "*" || known == blob.etag {
            throw request.method == "PUT" ? BlobError.otherVersion : BlobError.sameVersion
        }
    }

    // MARK: Reading

    private static func read(_ request: EmulatorRequest, _ blob: Blob) async throws -> EmulatorResponse {
        guard let asked = try range(request) else {
            return EmulatorResponse(200, headers: blob.headers, stream: blob.stream(0..<blob.size))
        }
        guard asked.lowerBound < blob.size else { throw BlobError.beyond }
        let range = asked.clamped(to: 0..<blob.size)
        let headers =
            blob.headers + [("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(blob.size)")]
        guard request.headers["x-ms-range-get-content-md5"]?.lowercased() == "true" else {
            return EmulatorResponse(206, headers: headers, stream: blob.stream(range))
        }
        guard range.count <= largestWrite else { throw BlobError.outOfRangeInput }
        let bytes = try await blob.read(range)
        return EmulatorResponse(206, headers: headers + md5(bytes), body: bytes)
    }

    private static func pages(_ request: EmulatorRequest, _ blob: Blob) async throws -> EmulatorResponse {
        // The whole list in the place of the differences that were asked for would be believed.
        guard request.query["prevsnapshot"] == nil, request.headers["x-ms-previous-snapshot-url"] == nil else {
            throw BlobError.notHere
        }
        let asked = try range(request) ?? 0..<blob.size
        guard asked.lowerBound < blob.size else { throw BlobError.beyond }
        let list = try await blob.pages(in: asked.clamped(to: 0..<blob.size)).map {
            "<PageRange><Start>\($0.lowerBound)</Start><End>\($0.upperBound - 1)</End></PageRange>"
        }
        let body = "<?xml version=\"1.0\" encoding=\"utf-8\"?><PageList>\(list.joined())</PageList>"
        let headers =
            blob.version + [("Content-Type", "application/xml"), ("x-ms-blob-content-length", "\(blob.size)")]
        return EmulatorResponse(200, headers: headers, body: Array(body.utf8))
    }

    // MARK: Writing

    private static func write(_ request: EmulatorRequest, _ blob: Blob) async throws -> EmulatorResponse {
        guard blob.isWritable else { throw BlobError.mayNot }
        guard let range = try range(request), range.lowerBound % page == 0, range.upperBound % page == 0 else {
            throw BlobError.badHeader
        }
        guard range.upperBound <= blob.size else { throw BlobError.outside }
        var checked: [(name: String, value: String)] = []
        switch request.headers["x-ms-page-write"]?.lowercased() {
        case "update":
            guard range.count <= largestWrite else { throw BlobError.bodyTooLarge }
            guard range.count == request.body.count else { throw BlobError.badHeader }
            if let sent = request.headers["content-md5"] {
                checked = md5(request.body)
                guard checked.isEmpty || checked.first?.value == sent else { throw BlobError.damaged }
            }
            try await blob.contents.materialise(blob.content, bytes: blob.size)
            try await blob.contents.write(request.body, at: range.lowerBound, to: blob.content)
        case "clear":
            guard request.body.isEmpty else { throw BlobError.badHeader }
            try await blob.contents.materialise(blob.content, bytes: blob.size)
            try await blob.contents.zero(range, of: blob.content)
        default: throw BlobError.badHeader
        }
        let version = try await blob.current().version
        return EmulatorResponse(
            201,
            headers: version + checked + [
                ("x-ms-blob-sequence-number", "0"), ("x-ms-request-server-encrypted", "true"),
            ])
    }

    /// Nothing where the system's policy forbids MD5.
    private static func md5(_ bytes: [UInt8]) -> [(name: String, value: String)] {
        MD5.digest(of: bytes).map { [("Content-MD5", Data($0).base64EncodedString())] } ?? []
    }

    /// `bytes=0-511`, of `x-ms-range` or else `Range`; `bytes=512-` is to the end.
    private static func range(_ request: EmulatorRequest) throws -> Range<Int64>? {
        guard let text = request.headers["x-ms-range"] ?? request.headers["range"] else { return nil }
        let halves = text.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
        guard text.lowercased().hasPrefix("bytes="), halves.count == 2, let start = Int64(halves[0]), start >= 0 else {
            throw BlobError.badHeader
        }
        if halves[1].isEmpty { return start..<Int64.max }
        guard let end = Int64(halves[1]), end >= start, end < Int64.max else { throw BlobError.badHeader }
        return start..<end + 1
    }
}
