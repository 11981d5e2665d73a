internal import SalvorJSON

/// The page blobs behind shared access signatures: reading a disk or snapshot, writing an upload.
struct Blobs: Endpoint {
    static let largestWrite = 4 << 20
    private static let page: Int64 = 512

    func answer(
        _ request: EmulatorRequest, _ segments: [String], _ now: EmulatorTime, _ emulator: Emulator
    ) async throws(ARMError) -> EmulatorResponse? {
        guard let content = BlobPath.content(segments) else { return nil }
        let record = try await emulator.commit(now) { (state) throws(ARMError) in state.owner(ofContent: content) }
        guard let contents = emulator.equipment.contents else { return BlobError.forbidden.response }
        var response: EmulatorResponse
        do {
            let blob = try Blob(record, content, contents, request, now)
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
        return response
    }

    private static func answer(_ request: EmulatorRequest, _ blob: Blob) async throws -> EmulatorResponse {
        switch (request.method, request.query["comp"]?.lowercased()) {
        case ("HEAD", nil):
            return EmulatorResponse(200, headers: blob.headers + [("Content-Length", "\(blob.size)")])
        case ("GET", nil): return try await read(request, blob)
        case ("GET", "pagelist"): return try await pages(request, blob)
        case ("PUT", "page"): return try await write(request, blob)
        default: throw BlobError.notHere
        }
    }

    // MARK: Reading

    private static func read(_ request: EmulatorRequest, _ blob: Blob) async throws -> EmulatorResponse {
        let asked = try range(request)
        guard let asked else {
            return EmulatorResponse(200, headers: blob.headers, stream: blob.stream(0..<blob.size))
        }
        guard asked.lowerBound < blob.size else {
            throw BlobError(416, "InvalidRange", "The range specified is invalid for the current size of the resource.")
        }
        let range = asked.clamped(to: 0..<blob.size)
        let place = ("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(blob.size)")
        return EmulatorResponse(206, headers: blob.headers + [place], stream: blob.stream(range))
    }

    private static func pages(_ request: EmulatorRequest, _ blob: Blob) async throws -> EmulatorResponse {
        let asked = try range(request)?.clamped(to: 0..<blob.size) ?? 0..<blob.size
        let ranges = try await blob.contents.allocated(blob.content, in: asked)
        let list = ranges.map { range in
            // Whole pages, whatever the file system's own blocks are.
            let start = range.lowerBound / page * page
            let end = min((range.upperBound + page - 1) / page * page, blob.size)
            return "<PageRange><Start>\(start)</Start><End>\(end - 1)</End></PageRange>"
        }
        let body = "<?xml version=\"1.0\" encoding=\"utf-8\"?><PageList>\(list.joined())</PageList>"
        let headers =
            blob.headers.filter { $0.name != "Content-Type" } + [("Content-Type", "application/xml")]
        return EmulatorResponse(200, headers: headers, body: Array(body.utf8))
    }

    // MARK: Writing

    private static func write(_ request: EmulatorRequest, _ blob: Blob) async throws -> EmulatorResponse {
        guard blob.isWritable else { throw BlobError.mayNot }
        guard let range = try range(request), range.lowerBound % page == 0, range.upperBound % page == 0 else {
            throw BlobError.badPages
        }
        guard range.upperBound <= blob.size else { throw BlobError.outside }
        switch request.headers["x-ms-page-write"]?.lowercased() {
        case "update":
            guard range.count <= largestWrite else {
                throw BlobError(
                    413, "RequestBodyTooLarge",
                    "The request body is too large and exceeds the maximum permissible limit.")
            }
            guard range.count == request.body.count else { throw BlobError.badPages }
            try await blob.contents.materialise(blob.content, bytes: blob.size)
            try await blob.contents.write(request.body, at: range.lowerBound, to: blob.content)
        case "clear":
            guard request.body.isEmpty else { throw BlobError.badPages }
            try await blob.contents.materialise(blob.content, bytes: blob.size)
            try await blob.contents.zero(range, of: blob.content)
        default: throw BlobError.badPages
        }
        return EmulatorResponse(
            201,
            headers: [
                ("ETag", blob.etag), ("Last-Modified", blob.modified), ("x-ms-blob-sequence-number", "0"),
                ("x-ms-request-server-encrypted", "true"),
            ])
    }

    /// `bytes=0-511`, of `x-ms-range` or else `Range`; `bytes=512-` is to the end.
    private static func range(_ request: EmulatorRequest) throws -> Range<Int64>? {
        guard let text = request.headers["x-ms-range"] ?? request.headers["range"] else { return nil }
        let halves = text.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
        guard text.lowercased().hasPrefix("bytes="), halves.count == 2, let start = Int64(halves[0]), start >= 0 else {
            throw BlobError.badPages
        }
        if halves[1].isEmpty { return start..<Int64.max }
        guard let end = Int64(halves[1]), end >= start, end < Int64.max else { throw BlobError.badPages }
        return start..<end + 1
    }
}
