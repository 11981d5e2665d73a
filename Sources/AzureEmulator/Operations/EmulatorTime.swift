/// Milliseconds since 1970, by the emulator's clock.
package struct EmulatorTime: Hashable, Comparable, Sendable, Codable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    package static func < (one: EmulatorTime, other: EmulatorTime) -> Bool { one.milliseconds < other.milliseconds }

    package static func + (time: EmulatorTime, duration: Duration) -> EmulatorTime {
        let (seconds, attoseconds) = duration.components
        return EmulatorTime(milliseconds: time.milliseconds + seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }

    package static func - (time: EmulatorTime, duration: Duration) -> EmulatorTime { time + (.zero - duration) }

    /// `2024-07-19T04:09:00Z`, as addresses with a signature show it.
    package var seconds: String { String(text.prefix(19)) + "Z" }

    /// `2024-07-19T04:09:00.1230000+00:00`, as operations show it.
    package var text: String {
        let seconds = milliseconds / 1000
        var days = Int(seconds / 86_400)
        let second = Int(seconds % 86_400)
        // Civil date from days since 1970, after Hinnant: http://howardhinnant.github.io/date_algorithms.html
        days += 719_468
        let era = days / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let civilMonth = month < 10 ? month + 3 : month - 9
        let year = yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0)
        func digits(_ number: Int, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        return "\(digits(year, 4))-\(digits(civilMonth, 2))-\(digits(day, 2))T\(digits(second / 3600, 2)):"
            + "\(digits(second / 60 % 60, 2)):\(digits(second % 60, 2)).\(digits(Int(milliseconds % 1000), 3))0000+00:00"
    }
}
