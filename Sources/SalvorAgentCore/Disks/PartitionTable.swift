internal import Glibc
internal import SalvorDigest

/// What a disk's partition table says of itself and of each partition. Where partitions lie is the kernel's to say, and
/// is not read here; nothing is decided by this but a disk's GUID, so no checksum is held against it.
struct PartitionTable {
    enum Kind {
        case none
        case gpt
        case mbr
    }

    struct Entry: Equatable {
        var type = ""
        var guid = ""
        var label = ""
    }

    let kind: Kind
    /// GPT disk GUID, or the MBR signature as eight hexadecimal digits.
    let id: String
    private let entries: [Entry]

    static let none = PartitionTable(kind: .none, id: "", entries: [])

    private init(kind: Kind, id: String, entries: [Entry]) {
        self.kind = kind
        self.id = id
        self.entries = entries
    }

    /// - Parameters:
    ///   - number: 1-based.
    subscript(number: UInt32) -> Entry {
        number >= 1 && number <= entries.count ? entries[Int(number) - 1] : Entry()
    }

    /// Reads the table of a disk. Blocking.
    /// - Returns: ``none`` where there is none or the disk cannot be read: the inventory then says so.
    static func read(_ device: String, sectorBytes: Int) -> PartitionTable {
        guard (512...4096).contains(sectorBytes), let disk = try? Descriptor.open(device, O_RDONLY) else {
            return .none
        }
        func bytes(at offset: UInt64, count: Int) -> [UInt8]? {
            guard offset <= UInt64(Int64.max) - UInt64(count) else { return nil }
            var buffer = [UInt8](repeating: 0, count: count)
            let read = buffer.withUnsafeMutableBytes { pread(disk.number, $0.baseAddress, $0.count, off_t(offset)) }
            return read == count ? buffer : nil
        }
        guard let boot = bytes(at: 0, count: 512), boot[510] == 0x55, boot[511] == 0xAA else { return .none }
        // A protective MBR says that the table is a GPT's; a GPT behind any other MBR is a leftover.
        let isProtective = (0..<4).contains { boot[446 + 16 * $0 + 4] == 0xEE }
        guard isProtective else { return mbr(boot) }
        guard let header = bytes(at: UInt64(sectorBytes), count: 92), header.starts(with: "EFI PART".utf8) else {
            return .none
        }
        let first = littleEndian(header[72..<80])
        let count = Int(littleEndian(header[80..<84]))
        let size = Int(littleEndian(header[84..<88]))
        guard count <= 1024, (128...4096).contains(size), first <= UInt64(Int64.max) / UInt64(sectorBytes),
            let table = bytes(at: first * UInt64(sectorBytes), count: count * size)
        else { return PartitionTable(kind: .gpt, id: canonicalGUID(header[56..<72]), entries: []) }
        let entries = (0..<count).map { index in
            let entry = table[(index * size)..<((index + 1) * size)]
            let start = entry.startIndex
            return Entry(
                type: canonicalGUID(entry[start..<(start + 16)]),
                guid: canonicalGUID(entry[(start + 16)..<(start + 32)]),
                label: text(entry[(start + 56)..<(start + 128)]))
        }
        return PartitionTable(kind: .gpt, id: canonicalGUID(header[56..<72]), entries: entries)
    }

    private static func mbr(_ boot: [UInt8]) -> PartitionTable {
        let signature = hexadecimal(boot[440..<444].reversed())
        let entries = (0..<4).map { index in
            Entry(type: "0x" + hexadecimal([boot[446 + 16 * index + 4]]), guid: "\(signature)-0\(index + 1)")
        }
        return PartitionTable(kind: .mbr, id: signature, entries: entries)
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        let fields = Array(bytes)
        let units = stride(from: 0, to: fields.count, by: 2).map { UInt16(fields[$0]) | UInt16(fields[$0 + 1]) << 8 }
        return String(decoding: units.prefix { $0 != 0 }, as: UTF16.self)
    }
}
