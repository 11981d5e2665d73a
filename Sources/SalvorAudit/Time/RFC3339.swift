/// RFC 3339 in UTC with a fixed number of fractional digits: the one form that Salvor writes and reads back.
enum RFC3339 {
    private static let secondsPerDay: Int64 = 86_400

    /// - Parameters:
    ///   - seconds: since 1970-01-01T00:00:00Z.
    ///   - fraction: of the second, in units of 10 to the minus `digits`.
    /// - Returns: nil outside the years 0000 to 9999, which RFC 3339 cannot write.
    static func text(seconds: Int64, fraction: Int64, digits: Int) -> String? {
        let days = seconds.flooredQuotient(by: secondsPerDay)
        let second = seconds - days * secondsPerDay
        let date = CivilDate(daysSinceUnixEpoch: days)
        guard (0...9999).contains(date.year) else { return nil }
        return "\(padded(date.year, 4))-\(padded(Int64(date.month), 2))-\(padded(Int64(date.day), 2))"
            + "T\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
            + ".\(padded(fraction, digits))Z"
    }

    /// Reads what ``text(seconds:fraction:digits:)`` writes, and nothing else.
    static func parse(_ text: String, digits: Int) -> (seconds: Int64, fraction: Int64)? {
        let bytes = Array(text.utf8)
        guard bytes.count == 21 + digits else { return nil }
        for (index, mark) in [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":"), (19, "."), (20 + digits, "Z")]
        where bytes[index] != mark.utf8.first {
            return nil
        }
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            let fraction = number(20..<20 + digits), hour < 24, minute < 60, second < 60, (1...12).contains(month)
        else { return nil }
        let date = CivilDate(year: year, month: Int(month), day: Int(day))
        // A day that the month does not have comes back as another.
        guard day >= 1, CivilDate(daysSinceUnixEpoch: date.daysSinceUnixEpoch) == date else { return nil }
        return (date.daysSinceUnixEpoch * secondsPerDay + hour * 3600 + minute * 60 + second, fraction)
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension Int64 {
    /// Rounded towards minus infinity.
    func flooredQuotient(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
