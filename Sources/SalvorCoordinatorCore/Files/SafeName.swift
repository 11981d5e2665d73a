internal import SalvorDigest

/// One path component made from a stranger's name: it never escapes its folder, and two names never share one.
enum SafeName {
    static func component(_ name: String) -> String {
        let isPlain =
            !name.isEmpty && name.utf8.count <= 64 && !name.hasPrefix(".") && name.utf8.allSatisfy(isHarmless)
        if isPlain, !name.contains("~") { return name }
        let readable = String(
            decoding: name.utf8.prefix(40).map { isHarmless($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
        let stem = readable.hasPrefix(".") ? "_" + readable.dropFirst() : readable
        // The tilde, which no plain name has, keeps made names apart from given ones.
        return "\(stem)~\(SHA256.digest(of: Array(name.utf8)).hex.prefix(16))"
    }

    private static func isHarmless(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
