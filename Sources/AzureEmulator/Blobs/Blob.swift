internal import SalvorDigest
internal import SalvorJSON

/// The page blob that a request may use: an upload with its footer, or a disk as the fixed VHD that Azure hands out.
struct Blob {
    let content: String
    let contents: DiskContents
    /// With the footer.
    let size: Int64
    let isWritable: Bool
    /// When it was last written to. Of the file, so that it changes with each write and is the same after a restart.
    private var modified: EmulatorTime
    private(set) var etag: String
    /// What stands behind the disk's bytes, where the file has no footer of its own.
    private let footer: [UInt8]

    /// - Throws: 403 for an address whose signature is not, or no longer, good.
    init(
        _ record: Record?, _ content: String, _ contents: DiskContents, _ request: EmulatorRequest, _ now: EmulatorTime
    ) throws(BlobError) {
        guard let record, let grant = DiskGrant(of: record), grant.expires > now, record.hidden["closed"] == nil,
            // Whoever changes what the signature is for has no signature.
            grant.query.allSatisfy({ name, value in
                HMAC.areEqual(Array((request.query[name] ?? "").utf8), Array(value.utf8))
            })
        else { throw BlobError.forbidden }
        self.content = content
        self.contents = contents
        isWritable = grant.access == .write
        if isWritable {
            size = record.body[path: "properties.creationData.uploadSizeBytes"]?.integer ?? 0
            footer = []
        } else {
            let disk = DiskContents.size(of: record)
            size = disk + VHDFooter.bytes
            footer = VHDFooter.fixed(size: disk, id: content)
        }
        modified = grant.granted
        etag = "\"0x0\""
    }

    /// The same with the version that its file has now.
    func current() async throws(ARMError) -> Blob {
        guard let nanoseconds = try await contents.modified(content) else { return self }
        var blob = self
        blob.modified = EmulatorTime(milliseconds: nanoseconds / 1_000_000)
        blob.etag = "\"0x\(String(nanoseconds, radix: 16, uppercase: true))\""
        return blob
    }

    /// The disk's bytes alone.
    private var ownSize: Int64 { size - Int64(footer.count) }

    /// What all answers about it say.
    var version: [(name: String, value: String)] { [("ETag", etag), ("Last-Modified", modified.http)] }

    var headers: [(name: String, value: String)] {
        version + [
            ("Accept-Ranges", "bytes"), ("Content-Type", "application/octet-stream"), ("x-ms-blob-type", "PageBlob"),
            ("x-ms-blob-content-length", "\(size)"), ("x-ms-blob-sequence-number", "0"),
            ("x-ms-lease-status", "unlocked"), ("x-ms-lease-state", "available"), ("x-ms-server-encrypted", "true"),
        ]
    }

    func read(_ range: Range<Int64>) async throws(ARMError) -> [UInt8] {
        let own = range.clamped(to: 0..<ownSize)
        let bytes = own.isEmpty ? [] : try await contents.read(content, own)
        guard range.upperBound > ownSize else { return bytes }
        return bytes + footer[Int(max(range.lowerBound - ownSize, 0))..<Int(range.upperBound - ownSize)]
    }

    func stream(_ range: Range<Int64>) -> EmulatorResponse.Stream {
        EmulatorResponse.Stream(bytes: Int64(range.count)) { (part) throws(ARMError) in
            try await read(range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound)
        }
    }

    /// Where it has bytes, in whole pages, in order.
    func pages(in range: Range<Int64>) async throws(ARMError) -> [Range<Int64>] {
        let page = Blobs.page
        let own = range.clamped(to: 0..<ownSize)
        var pages = own.isEmpty ? [] : try await contents.allocated(content, in: own)
        pages = pages.map { $0.lowerBound / page * page..<min(($0.upperBound + page - 1) / page * page, ownSize) }
        if range.upperBound > ownSize { pages.append(ownSize..<size) }
        return pages
    }
}

extension EmulatorTime {
    /// `Fri, 19 Jul 2024 04:09:00 GMT`, as HTTP writes it.
    var http: String {
        let text = text
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let date = text.prefix(10).split(separator: "-").map(String.init)
        let weekday = days[Int(milliseconds / 86_400_000 % 7)]
        let month = months[(Int(date[1]) ?? 1) - 1]
        return "\(weekday), \(date[2]) \(month) \(date[0]) \(text.dropFirst(11).prefix(8)) GMT"
    }
}
