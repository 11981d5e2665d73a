/// Which characters paths, keys and values are made of (SPEC.md, H-2 and H-4).
enum HeaderAlphabet {
    /// Longest method path and longest key, in bytes.
    static let maxNameByteCount = 255

    static func isPathByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "/"):
            true
        default: false
        }
    }

    static func isKeyByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"),
            UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    static func isTextByte(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte <= 0x7e
    }

    /// Whether a path is `service/method`: both there, exactly one slash, allowed bytes only.
    static func isPath(_ bytes: some Collection<UInt8>) -> Bool {
        guard (3...maxNameByteCount).contains(bytes.count), let slash = bytes.firstIndex(of: UInt8(ascii: "/")) else {
            return false
        }
        let method = bytes[bytes.index(after: slash)...]
        return slash != bytes.startIndex && !method.isEmpty && !method.contains(UInt8(ascii: "/"))
            && bytes.allSatisfy(isPathByte)
    }

    static func isKey(_ bytes: some Collection<UInt8>) -> Bool {
        (1...maxNameByteCount).contains(bytes.count) && bytes.allSatisfy(isKeyByte)
    }
}
