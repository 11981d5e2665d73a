/// A file-name pattern: `*` is any run of characters, `?` any one (a UTF-16 unit, as Windows counts); case is ignored.
package struct NamePattern: Sendable {
    private let units: [UInt16]
    /// The same where it is ASCII: nearly every name in a folder of a hundred thousand is, too, and needs no Unicode.
    private let ascii: [UInt8]?
    private let table: CaseTable

    package init(_ text: String, _ table: CaseTable = .unicode) {
        self.table = table
        units = table.fold(text)
        ascii = text.utf8.allSatisfy { $0 < 0x80 } ? units.map { UInt8(truncatingIfNeeded: $0) } : nil
    }

    package func matches(_ name: FileName) -> Bool {
        if let ascii, name.isASCII {
            return Self.fits(ascii, name.bytes) { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 }
        }
        return Self.fits(units, table.fold(name)) { $0 }
    }

    private static func fits<Unit: FixedWidthInteger>(
        _ pattern: [Unit], _ name: [Unit], fold: (Unit) -> Unit
    ) -> Bool {
        let any = Unit(UInt8(ascii: "*"))
        let one = Unit(UInt8(ascii: "?"))
        var position = 0
        var index = 0
        // Where to go back to: behind the last star, and the first unit that the star has not swallowed yet. One star
        // back is enough, so that no pattern takes more than length × length steps.
        var retry: (position: Int, index: Int)?
        while index < name.count {
            if position < pattern.count, pattern[position] == any {
                position += 1
                retry = (position, index)
            } else if position < pattern.count, pattern[position] == one || pattern[position] == fold(name[index]) {
                position += 1
                index += 1
            } else if let last = retry {
                retry = (last.position, last.index + 1)
                position = last.position
                index = last.index + 1
            } else {
                return false
            }
        }
        return pattern[position...].allSatisfy { $0 == any }
    }
}
