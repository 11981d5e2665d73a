/// A file-name pattern: `*` is any run of characters, `?` any one (a UTF-16 unit, as Windows counts); case is ignored.
package struct NamePattern: Sendable {
    private let units: [UInt16]

    package init(_ text: String) { units = foldCase(text) }

    package func matches(_ name: FileName) -> Bool {
        let name = name.folded
        let any = UInt16(UInt8(ascii: "*"))
        let one = UInt16(UInt8(ascii: "?"))
        var position = 0
        var index = 0
        // Where to go back to: behind the last star, and the first unit that the star has not swallowed yet. One star
        // back is enough, so that no pattern takes more than length × length steps.
        var retry: (position: Int, index: Int)?
        while index < name.count {
            if position < units.count, units[position] == any {
                position += 1
                retry = (position, index)
            } else if position < units.count, units[position] == one || units[position] == name[index] {
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
        return units[position...].allSatisfy { $0 == any }
    }
}
