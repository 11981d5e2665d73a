/// What blkid recognises on devices: one run for all of them. (lsblk 2.38 says nothing of file systems where no udev
/// runs, and `blkid -p` ends at the first device on which it knows nothing.)
struct FileSystemListing {
    struct FileSystem: Equatable {
        var type = ""
        var label = ""
        var uuid = ""
    }

    private let byDevice: [String: FileSystem]

    /// No cache: what it holds can be of another disk. No devices of its own choosing either.
    static func arguments(_ devices: [String]) -> [String] { ["-c", "/dev/null", "-o", "export"] + devices }

    /// - Parameter output: `KEY=value` lines, of one device after the other; a backslash makes the next character
    ///   literal, and control characters come as `^X`, so that no label can look like a line.
    init(_ output: [UInt8]) {
        var found: [String: FileSystem] = [:]
        var device: String?
        for line in output.split(separator: UInt8(ascii: "\n")) {
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let value = Self.unescape(line[(equals + 1)...])
            switch String(decoding: line[..<equals], as: UTF8.self) {
            case "DEVNAME": device = value
            case "TYPE": if let device { found[device, default: FileSystem()].type = value }
            case "LABEL": if let device { found[device, default: FileSystem()].label = value }
            case "UUID": if let device { found[device, default: FileSystem()].uuid = value }
            default: continue
            }
        }
        byDevice = found
    }

    /// Nothing recognised: an empty type.
    subscript(device: String) -> FileSystem { byDevice[device] ?? FileSystem() }

    private static func unescape(_ text: ArraySlice<UInt8>) -> String {
        var bytes: [UInt8] = []
        var isLiteral = false
        for byte in text {
            if byte == UInt8(ascii: "\\"), !isLiteral {
                isLiteral = true
            } else {
                bytes.append(byte)
                isLiteral = false
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
