internal import SalvorDigest

/// JSON in which every character outside printable ASCII is written as an escape: shown on a terminal, it does nothing to
/// it. Such characters occur only within strings, where the escape means the same.
/// - Parameter keepingLineFeeds: for indented JSON, whose line feeds stand between the values.
func asciiJSON(_ json: some Sequence<UInt8>, keepingLineFeeds: Bool = false) -> [UInt8] {
    var result: [UInt8] = []
    let utf8 = Array(json)
    result.reserveCapacity(utf8.count)
    for scalar in String(decoding: utf8, as: UTF8.self).unicodeScalars {
        if (0x20...0x7E).contains(scalar.value) || (keepingLineFeeds && scalar == "\n") {
            result.append(UInt8(scalar.value))
        } else {
            for unit in scalar.utf16 {
                result += [UInt8(ascii: "\\"), UInt8(ascii: "u")]
                result += hexadecimal([UInt8(unit >> 8), UInt8(unit & 0xFF)]).utf8
            }
        }
    }
    return result
}
