internal import SalvorAudit

/// `20261122-223015-k3f9`: sorts by time, is short enough to type, and a second run within the second differs.
enum RunIdentifier {
    /// Without what is easily misread.
    private static let alphabet = Array("abcdefghjkmnpqrstuvwxyz23456789")

    static func make(at time: WallTime, random: () -> UInt64) -> String {
        let digits = time.rfc3339.filter(\.isNumber)
        var bits = random()
        var suffix = ""
        for _ in 0..<4 {
            suffix.append(alphabet[Int(bits % UInt64(alphabet.count))])
            bits /= UInt64(alphabet.count)
        }
        return "\(digits.prefix(8))-\(digits.dropFirst(8).prefix(6))-\(suffix)"
    }
}
