internal import SalvorJSON

/// The page blob that a request may use.
struct Blob {
    let content: String
    let contents: DiskContents
    /// With the footer, for an upload.
    let size: Int64
    let isWritable: Bool
    private let record: Record

    /// - Throws: 403 for an address whose signature is not, or no longer, good.
    init(
        _ record: Record?, _ content: String, _ contents: DiskContents, _ request: EmulatorRequest, _ now: EmulatorTime
    ) throws(BlobError) {
        guard let record, let grant = DiskGrant(of: record), grant.expires > now, record.hidden["closed"] == nil,
            // Whoever changes what the signature is for has no signature.
            grant.query.allSatisfy({ request.query[$0.name] == $0.value })
        else { throw .forbidden }
        self.record = record
        self.content = content
        self.contents = contents
        isWritable = grant.access == .write
        size =
            isWritable
            ? record.body[path: "properties.creationData.uploadSizeBytes"]?.integer ?? 0
            : (record.body[path: "properties.diskSizeGB"]?.integer ?? 0) << 30
    }

    var etag: String { "\"0x\(String(UInt64(bitPattern: Int64(record.version)), radix: 16, uppercase: true))\"" }
    /// Storage's clients want one; nothing here depends on it.
    var modified: String { "Fri, 19 Jul 2024 04:09:00 GMT" }

    var headers: [(name: String, value: String)] {
        [
            ("ETag", etag), ("Last-Modified", modified), ("Accept-Ranges", "bytes"),
            ("Content-Type", "application/octet-stream"), ("x-ms-blob-type", "PageBlob"),
            ("x-ms-blob-content-length", "\(size)"), ("x-ms-blob-sequence-number", "0"),
            ("x-ms-lease-status", "unlocked"),
            ("x-ms-lease-state", "available"), ("x-ms-server-encrypted", "true"),
        ]
    }

    func stream(_ range: Range<Int64>) -> EmulatorResponse.Stream {
        let (contents, content) = (contents, content)
        return EmulatorResponse.Stream(bytes: Int64(range.count)) { (part) throws(ARMError) in
            let start = range.lowerBound + part.lowerBound
            return try await contents.read(content, start..<start + Int64(part.count))
        }
    }
}
