#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// An instant of the wall clock, to the millisecond.
package struct WallTime: Hashable, Sendable {
    /// Since 1970-01-01T00:00:00Z, leap seconds not counted. Within the years 0000 to 9999.
    package let unixMilliseconds: Int64

    /// Clamped to the years that RFC 3339 can write.
    package init(unixMilliseconds: Int64) {
        self.unixMilliseconds = min(max(unixMilliseconds, -62_167_219_200_000), 253_402_300_799_999)
    }

    /// - Returns: nil unless `rfc3339` has the form that ``rfc3339`` gives.
    package init?(rfc3339: String) {
        guard let (seconds, fraction) = RFC3339.parse(rfc3339, digits: 3) else { return nil }
        self.init(unixMilliseconds: seconds * 1000 + fraction)
    }

    package static var now: WallTime {
        var time = timespec()
        // Fails only for a clock that does not exist; this one always does.
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(unixMilliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// `2024-07-19T04:09:00.000Z`.
    package var rfc3339: String {
        let seconds = unixMilliseconds.flooredQuotient(by: 1000)
        return RFC3339.text(seconds: seconds, fraction: unixMilliseconds - seconds * 1000, digits: 3) ?? ""
    }
}

extension WallTime: Comparable {
    package static func < (one: WallTime, other: WallTime) -> Bool { one.unixMilliseconds < other.unixMilliseconds }
}

extension WallTime: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let time = WallTime(rfc3339: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not a time in UTC with milliseconds (RFC 3339)")
        }
        self = time
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rfc3339)
    }
}

extension WallTime: CustomStringConvertible {
    package var description: String { rfc3339 }
}
