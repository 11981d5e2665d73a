/// `AA AA AA AA 01 00 23 01`, as channel files are spoken of; a spreadsheet leaves it alone, too.
func spacedHexadecimal(_ hexadecimal: String) -> String {
    var digits = Array(hexadecimal.uppercased().unicodeScalars)[...]
    var pairs: [String] = []
    while !digits.isEmpty {
        var pair = String.UnicodeScalarView()
        pair.append(contentsOf: digits.prefix(2))
        pairs.append(String(pair))
        digits = digits.dropFirst(2)
    }
    return pairs.joined(separator: " ")
}

/// `41.0 KiB (41,984 bytes)`.
func humanSize(_ bytes: UInt64) -> String {
    let exact = "\(grouped(bytes)) \(bytes == 1 ? "byte" : "bytes")"
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    guard bytes >= 1024 else { return exact }
    var unit = 0
    var tenths = bytes / 1024 * 10 + (bytes % 1024) * 10 / 1024
    while tenths >= 10_240, unit < units.count - 1 {
        tenths /= 1024
        unit += 1
    }
    return "\(grouped(tenths / 10)).\(tenths % 10) \(units[unit]) (\(exact))"
}

/// `850 ms`, `12.3 s`, `2 min 05 s`, `1 h 02 min`.
func humanDuration(milliseconds: UInt64) -> String {
    if milliseconds < 1000 { return "\(milliseconds) ms" }
    if milliseconds < 60_000 { return "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s" }
    let seconds = milliseconds / 1000
    if seconds < 3600 { return "\(seconds / 60) min \(twoDigits(seconds % 60)) s" }
    return "\(seconds / 3600) h \(twoDigits(seconds / 60 % 60)) min"
}

/// `2024-07-19 04:09:31.400 UTC` from `2024-07-19T04:09:31.400Z`.
func humanTime(_ rfc3339: String) -> String {
    guard rfc3339.hasSuffix("Z") else { return rfc3339 }
    return rfc3339.dropLast().replacing("T", with: " ") + " UTC"
}

/// `2024-07-19 04:09 UTC` from `2024-07-19T04:09:31.400Z`.
func humanTime(toTheMinute rfc3339: String) -> String {
    rfc3339.prefix(16).replacing("T", with: " ") + " UTC"
}

/// With a capital first letter, where it has one.
func capitalised(_ text: String) -> String {
    text.prefix(1).uppercased() + text.dropFirst()
}

/// `3 machines`, `1 machine`.
func counted(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
}

private func twoDigits(_ value: UInt64) -> String { value < 10 ? "0\(value)" : "\(value)" }

private func grouped(_ value: UInt64) -> String {
    var groups: [String] = []
    var rest = value
    while rest >= 1000 {
        let group = String(rest % 1000)
        groups.append(String(repeating: "0", count: 3 - group.count) + group)
        rest /= 1000
    }
    return ([String(rest)] + groups.reversed()).joined(separator: ",")
}
