/// Text from a guest or a file, safe to print on a terminal, into a table or into a log line.
///
/// Everything that is not seen as itself becomes `\u{…}`: control characters (so no line break and no terminal escape),
/// format characters (bidirectional overrides, zero-width marks, tags), line and paragraph separators, white space other
/// than U+0020, surrogates, private and unassigned code points, and combining marks that have nothing to combine with.
/// The result has one line. It is not HTML: an HTML export escapes it as well.
package func printable(_ text: some StringProtocol) -> String {
    var result = String.UnicodeScalarView()
    var hasBase = false
    for scalar in text.unicodeScalars {
        if isSeenAsItself(scalar, hasBase: hasBase) {
            result.append(scalar)
            hasBase = true
        } else {
            result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16, uppercase: true))}".unicodeScalars)
            hasBase = false
        }
    }
    return String(result)
}

private func isSeenAsItself(_ scalar: Unicode.Scalar, hasBase: Bool) -> Bool {
    if scalar.isASCII { return (0x20...0x7E).contains(scalar.value) }
    // Blank, yet letters by category; and variation selectors and fillers, which hide data in plain sight.
    if scalar.properties.isDefaultIgnorableCodePoint { return false }
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator:
        return false
    case .nonspacingMark, .spacingMark, .enclosingMark: return hasBase
    default: return true
    }
}
