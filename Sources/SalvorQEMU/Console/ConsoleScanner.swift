/// Console bytes in, printable lines out. Holds one unfinished line of bounded length and nothing else.
///
/// A guest prints what it likes: escape sequences and control characters do not get through.
package struct ConsoleScanner: Sendable {
    /// What is longer is cut into several lines.
    package static let longestLine = 4096
    private var unfinished: [UInt8] = []

    package init() {}

    /// The line that has begun and not ended, as a prompt does.
    package var partial: String { Self.printable(unfinished) }

    /// - Returns: the lines that were completed.
    package mutating func append(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") || unfinished.count == Self.longestLine {
                lines.append(Self.printable(unfinished))
                unfinished.removeAll(keepingCapacity: true)
            }
            if byte != UInt8(ascii: "\n") { unfinished.append(byte) }
        }
        return lines
    }

    /// Drops control characters and the escape sequences of terminals; a tab becomes a space.
    package static func printable(_ bytes: some Collection<UInt8>) -> String {
        var kept: [UInt8] = []
        kept.reserveCapacity(bytes.count)
        var iterator = bytes.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case 0x1B:
                // CSI: parameters up to a final byte; anything else: one byte.
                guard iterator.next() == UInt8(ascii: "[") else { continue }
                while let next = iterator.next(), !(0x40...0x7E).contains(next) {}
            case UInt8(ascii: "\t"): kept.append(UInt8(ascii: " "))
            case 0..<0x20, 0x7F: continue
            default: kept.append(byte)
            }
        }
        return String(decoding: kept, as: UTF8.self)
    }
}
