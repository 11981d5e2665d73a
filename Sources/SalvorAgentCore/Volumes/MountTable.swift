/// One line of /proc/self/mounts.
struct MountEntry: Equatable {
    let source: String
    let mountPoint: String
    let type: String
    let options: [String]

    var isReadWrite: Bool { options.contains("rw") }
}

/// What is mounted, as the kernel says it: the only word on whether a volume is writable.
struct MountTable {
    let entries: [MountEntry]

    static let path = "/proc/self/mounts"

    init(_ text: [UInt8]) {
        entries = text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: " ")).map(Self.unescape)
            guard fields.count >= 4 else { return nil }
            return MountEntry(
                source: fields[0], mountPoint: fields[1], type: fields[2],
                options: fields[3].split(separator: ",").map(String.init))
        }
    }

    /// The table as it is now. Blocking.
    static func current() throws(AgentError) -> MountTable {
        guard let text = contents(ofFile: path, limit: 1 << 24) else { throw .systemCall("read", path) }
        return MountTable(text)
    }

    /// The entry that is on top at a mount point.
    func entry(at mountPoint: String) -> MountEntry? { entries.last { $0.mountPoint == mountPoint } }

    /// Where a device is mounted.
    func entry(of source: String) -> MountEntry? { entries.last { $0.source == source } }

    /// The kernel writes a blank, a tab, a line end and a backslash as three octal digits.
    private static func unescape(_ field: ArraySlice<UInt8>) -> String {
        var bytes: [UInt8] = []
        var rest = field
        while let byte = rest.first {
            if byte == UInt8(ascii: "\\"), rest.count >= 4,
                let value = UInt8(String(decoding: rest.dropFirst().prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                rest = rest.dropFirst(4)
            } else {
                bytes.append(byte)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
