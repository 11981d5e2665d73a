#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif
internal import SalvorDigest

/// The bytes of one record, and the digest over them.
///
/// A line is a JSON object without white space, its keys sorted, in ASCII (every other character as `\uXXXX`, so that
/// what a guest named a file does nothing to a terminal that shows the log), followed by a line feed:
///
///     {"actor":"agent","data":{…},"event":"fileDeleted","machine":"web-01","previous":"…","run":"…",
///      "sequence":7,"time":"2024-07-19T05:27:00.000Z","version":1,"sha256":"…"}
///
/// `sha256` is always the last member, out of order. It is the SHA-256 of the line as it stands, without that member and
/// the comma before it, and without the line feed. So a line is checked by its bytes alone, with any tool:
///
///     sed -E 's/,"sha256":"[0-9a-f]{64}"\}$/}/' | tr -d '\n' | sha256sum
enum AuditLine {
    /// With the line feed. Bounds what a reader holds and what a guest's strings can make a writer write.
    static let byteLimit = 1 << 20

    private static let sealStart = Array(#","sha256":""#.utf8)
    private static let sealEnd = Array(#""}"#.utf8)
    private static let sealByteCount = sealStart.count + 2 * Digest.byteCount + sealEnd.count

    /// - Returns: the line with its line feed, and its digest.
    static func encode(_ record: UnsealedRecord) throws -> (bytes: [UInt8], sha256: Digest) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var bytes = asciiJSON(try encoder.encode(record))
        let digest = SHA256.digest(of: bytes)
        bytes.removeLast()
        bytes += sealStart
        bytes += digest.hex.utf8
        bytes += sealEnd
        bytes.append(UInt8(ascii: "\n"))
        return (bytes, digest)
    }

    /// Takes a line without its line feed apart. Does not look at the digest's truth.
    /// - Returns: nil where the line has not this form.
    static func split(_ line: ArraySlice<UInt8>) -> (unsealed: [UInt8], sha256: Digest)? {
        guard line.count > sealByteCount else { return nil }
        let seal = line.suffix(sealByteCount)
        guard seal.starts(with: sealStart), seal.suffix(sealEnd.count).elementsEqual(sealEnd) else { return nil }
        let hex = seal.dropFirst(sealStart.count).dropLast(sealEnd.count)
        // Upper-case digits would name the same digest with other bytes.
        guard let digest = Digest(hex: String(decoding: hex, as: UTF8.self)), digest.hex.utf8.elementsEqual(hex) else {
            return nil
        }
        return (Array(line.dropLast(sealByteCount)) + [UInt8(ascii: "}")], digest)
    }

    static func decode(_ unsealed: [UInt8]) throws -> UnsealedRecord {
        try JSONDecoder().decode(UnsealedRecord.self, from: Data(unsealed))
    }
}
