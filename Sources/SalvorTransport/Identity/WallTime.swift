#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A point in time as certificates count it: whole seconds since 1970-01-01T00:00:00Z.
package struct WallTime: Hashable, Comparable, Sendable {
    package var secondsSinceEpoch: Int64

    package init(secondsSinceEpoch: Int64) { self.secondsSinceEpoch = secondsSinceEpoch }

    /// What this machine's clock says.
    package static func now() -> WallTime { WallTime(secondsSinceEpoch: Int64(time(nil))) }

    package static func < (left: WallTime, right: WallTime) -> Bool {
        left.secondsSinceEpoch < right.secondsSinceEpoch
    }

    /// Fractions of a second are dropped.
    package static func + (time: WallTime, duration: Duration) -> WallTime {
        WallTime(secondsSinceEpoch: time.secondsSinceEpoch + duration.components.seconds)
    }

    package static func - (time: WallTime, duration: Duration) -> WallTime {
        WallTime(secondsSinceEpoch: time.secondsSinceEpoch - duration.components.seconds)
    }
}

extension WallTime: CustomStringConvertible {
    /// ISO 8601, in UTC.
    package var description: String {
        var parts = tm()
        var seconds = time_t(secondsSinceEpoch)
        guard gmtime_r(&seconds, &parts) != nil else { return "second \(secondsSinceEpoch)" }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
            + "T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
    }
}
