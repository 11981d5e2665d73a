/// Names one call on a connection (SPEC.md, F-3). 0 is the connection itself.
package struct StreamID: Hashable, Comparable, Sendable {
    package let rawValue: UInt32

    package init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// The connection as a whole.
    package static let connection = StreamID(0)

    /// The highest id there is; a first GOAWAY names it.
    package static let highest = StreamID(0x7fff_ffff)

    /// Whether a caller may open a stream with this id: odd, and below 2³¹.
    package var isCallers: Bool {
        rawValue & 1 == 1 && rawValue <= StreamID.highest.rawValue
    }

    package static func < (left: StreamID, right: StreamID) -> Bool {
        left.rawValue < right.rawValue
    }
}

extension StreamID: CustomStringConvertible {
    package var description: String {
        self == .connection ? "the connection" : "stream \(rawValue)"
    }
}
