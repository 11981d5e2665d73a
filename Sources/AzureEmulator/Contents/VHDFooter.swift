internal import SalvorJSON

/// The last 512 bytes of a fixed virtual hard disk (Microsoft's "Virtual Hard Disk Image Format Specification", 2006).
struct VHDFooter {
    static let bytes: Int64 = 512
    private static let cookie = Array("conectix".utf8)
    private static let fixed: UInt32 = 2

    private let footer: [UInt8]

    init(_ footer: [UInt8]) { self.footer = footer }

    /// Work that looks at the footer of an upload, and takes it off: what is left is the disk.
    /// - Parameter blob: its address, without a signature, for the message.
    static func check(of record: Record, blob: String) -> Work {
        let total = record.body[path: "properties.creationData.uploadSizeBytes"]?.integer ?? 0
        let content = DiskContents.id(of: record) ?? ""
        return Work { (equipment) throws(ARMError) in
            guard let contents = equipment.contents else { return .null }
            let size = total - bytes
            let footer = VHDFooter(try await contents.read(content, size..<total))
            // A crash may have come between the cut and its note.
            if try await contents.length(content) == size { return .null }
            try footer.check(blob: blob, size: size)
            try await contents.cut(content, to: size)
            return .null
        }
    }

    /// - Throws: `InvalidVhd`, with what is wrong.
    func check(blob: String, size: Int64) throws(ARMError) {
        // The sentence about the cookie is Azure's; those about the rest are made after it.
        func wrong(_ what: String, _ expected: String) -> ARMError {
            ARMError(
                400, "InvalidVhd",
                "The specified \(what) in VHD footer indicates that disk 'abcd' with blob \(blob) is not a supported VHD. "
                    + "Disk is expected to have \(expected).")
        }
        guard footer.count == Int(Self.bytes), Array(footer[0..<8]) == Self.cookie else {
            throw wrong("cookie value", "cookie value 'conectix'")
        }
        let sum = footer.enumerated().reduce(UInt32(0)) { sum, byte in
            (64..<68).contains(byte.offset) ? sum : sum &+ UInt32(byte.element)
        }
        guard number(at: 64, 4) == UInt64(~sum) else { throw wrong("checksum", "a checksum that matches its footer") }
        guard number(at: 60, 4) == UInt64(Self.fixed) else {
            throw wrong("disk type", "disk type Fixed")
        }
        guard number(at: 48, 8) == UInt64(size) else {
            throw wrong("current size of \(number(at: 48, 8)) bytes", "a current size of \(size) bytes")
        }
    }

    /// Big-endian.
    private func number(at offset: Int, _ count: Int) -> UInt64 {
        footer[offset..<offset + count].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
