/// A time as NTFS keeps it, without loss.
package struct NTFSTime: Hashable, Sendable {
    /// 100 ns since 1601-01-01T00:00:00Z.
    package let intervals: UInt64

    package init(intervals: UInt64) { self.intervals = intervals }

    private static let intervalsPerSecond: UInt64 = 10_000_000
    /// Seconds from 1601-01-01 to 1970-01-01.
    private static let unixEpoch: Int64 = 11_644_473_600
    /// Begins the text of a time after the year 9999, which RFC 3339 cannot write and a hostile disk can.
    private static let beyond = "ntfs:"

    /// `2024-07-19T04:09:31.4000001Z`; `ntfs:` and the intervals for a time after the year 9999.
    package var rfc3339: String {
        let seconds = Int64(intervals / Self.intervalsPerSecond) - Self.unixEpoch
        let fraction = Int64(intervals % Self.intervalsPerSecond)
        return RFC3339.text(seconds: seconds, fraction: fraction, digits: 7) ?? "\(Self.beyond)\(intervals)"
    }

    /// - Returns: nil unless `rfc3339` has a form that ``rfc3339`` gives.
    package init?(rfc3339: String) {
        if rfc3339.hasPrefix(Self.beyond) {
            guard let intervals = UInt64(rfc3339.dropFirst(Self.beyond.count)) else { return nil }
            self.init(intervals: intervals)
            return
        }
        guard let (seconds, fraction) = RFC3339.parse(rfc3339, digits: 7), seconds >= -Self.unixEpoch else {
            return nil
        }
        self.init(intervals: UInt64(seconds + Self.unixEpoch) * Self.intervalsPerSecond + UInt64(fraction))
    }
}

extension NTFSTime: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let time = NTFSTime(rfc3339: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an NTFS time (RFC 3339)")
        }
        self = time
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rfc3339)
    }
}

extension NTFSTime: CustomStringConvertible {
    package var description: String { rfc3339 }
}
