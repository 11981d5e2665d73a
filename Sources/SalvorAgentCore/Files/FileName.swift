/// One name in a directory of a mounted volume, byte for byte as the file system gives it. It comes from a disk that
/// nobody vouches for: it can hold line ends, control characters and bytes that are no UTF-8.
package struct FileName: Hashable, Sendable {
    package let bytes: [UInt8]

    /// - Returns: nil for what is no name: nothing, ".", "..", or with "/" or NUL in it.
    package init?(bytes: [UInt8]) {
        guard !bytes.isEmpty, bytes != [0x2E], bytes != [0x2E, 0x2E], !bytes.contains(0x2F), !bytes.contains(0) else {
            return nil
        }
        self.bytes = bytes
    }

    private init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// Of what no name is known that a file system could have.
    static let unknown = FileName(unchecked: [UInt8(ascii: "?")])

    package init?(_ text: String) { self.init(bytes: Array(text.utf8)) }

    /// The name as messages carry it: itself where it is UTF-8 without a backslash; otherwise every backslash and every
    /// byte beyond ASCII as `\xHH`. Two names never share one text (Windows names hold no backslash).
    package var text: String {
        let valid = String(validating: bytes, as: UTF8.self)
        if let valid, !bytes.contains(UInt8(ascii: "\\")) { return valid }
        var escaped = ""
        let digits = Array("0123456789ABCDEF".unicodeScalars)
        for byte in bytes {
            if byte < 0x80, byte != UInt8(ascii: "\\") {
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                escaped += "\\x"
                escaped.unicodeScalars.append(digits[Int(byte >> 4)])
                escaped.unicodeScalars.append(digits[Int(byte & 0xF)])
            }
        }
        return escaped
    }

    var isASCII: Bool { bytes.allSatisfy { $0 < 0x80 } }
}

/// A path as a person reads it, with Windows' separator.
package func windowsPath(_ components: some Sequence<String>) -> String {
    "\\" + components.joined(separator: "\\")
}
