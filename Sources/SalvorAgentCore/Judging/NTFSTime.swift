/// An NTFS time as a person reads it: 100 ns intervals since 1601-01-01T00:00:00Z, exact.
package func ntfsTimeText(_ time: UInt64) -> String {
    guard time > 0 else { return "never" }
    let ticks = time % 10_000_000
    let seconds = time / 10_000_000
    let secondOfDay = seconds % 86_400
    let date = civilDate(daysSince1601: seconds / 86_400)
    func padded(_ number: UInt64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let day = "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
    let clock = "\(padded(secondOfDay / 3600, 2)):\(padded(secondOfDay / 60 % 60, 2)):\(padded(secondOfDay % 60, 2))"
    return ticks == 0 ? "\(day)T\(clock)Z" : "\(day)T\(clock).\(padded(ticks, 7))Z"
}

/// Gregorian calendar, counted from March so that the leap day comes last (Hinnant's days_from_civil, turned round).
private func civilDate(daysSince1601 days: UInt64) -> (year: UInt64, month: UInt64, day: UInt64) {
    // 1601-01-01 is day 584,694 of an era that begins on 0000-03-01.
    let shifted = days + 584_694
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
}
