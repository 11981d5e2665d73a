/// What `lsblk --pairs` prints: one device a line, `KEY="value"` pairs with `\xHH` for everything that is not plain.
/// Pairs rather than JSON, because a label that is no UTF-8 makes lsblk 2.38's JSON unreadable as a whole.
struct BlockDeviceListing {
    /// Columns asked for, in lsblk's names. What sysfs has is read there instead.
    static let columns = [
        "KNAME", "PKNAME", "TYPE", "PTTYPE", "PTUUID", "PARTTYPE", "PARTUUID", "PARTLABEL", "FSTYPE", "LABEL", "UUID",
    ]

    /// RAM disks, floppies, loop devices and optical drives are never a repair copy, and probing them costs time.
    static let arguments = ["--pairs", "--bytes", "--exclude", "1,2,7,11", "--output", columns.joined(separator: ",")]

    let rows: [[String: String]]

    init(_ output: [UInt8]) {
        rows = output.split(separator: UInt8(ascii: "\n")).map(Self.pairs)
    }

    private static func pairs(_ line: ArraySlice<UInt8>) -> [String: String] {
        var pairs: [String: String] = [:]
        var rest = line
        while let equals = rest.firstIndex(of: UInt8(ascii: "=")) {
            let key = String(decoding: rest[..<equals].drop { $0 == UInt8(ascii: " ") }, as: UTF8.self)
            rest = rest[(equals + 1)...]
            guard rest.first == UInt8(ascii: "\"") else { break }
            rest = rest.dropFirst()
            guard let quote = rest.firstIndex(of: UInt8(ascii: "\"")) else { break }
            pairs[key] = String(decoding: unescape(rest[..<quote]), as: UTF8.self)
            rest = rest[(quote + 1)...]
        }
        return pairs
    }

    private static func unescape(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.first {
            if byte == UInt8(ascii: "\\"), rest.count >= 4, rest.dropFirst().first == UInt8(ascii: "x"),
                let value = UInt8(String(decoding: rest.dropFirst(2).prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(4)
            } else {
                bytes.append(byte)
                rest = rest.dropFirst()
            }
        }
        return bytes
    }
}
