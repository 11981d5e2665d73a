/// Key/value pairs beside a call's messages, in order, repeated keys allowed (SPEC.md, H-3 to H-6).
package struct WireMetadata: Hashable, Sendable {
    /// What one key holds.
    package enum Value: Hashable, Sendable {
        /// Printable ASCII, 0x20 to 0x7e.
        case text(String)
        /// Any bytes; the key ends in `-bin`.
        case binary([UInt8])
    }

    package struct Entry: Hashable, Sendable {
        /// 1 to 255 of `0-9 a-z _ - .`; ends in `-bin` exactly when the value is binary.
        package var key: String
        package var value: Value

        package init(key: String, value: Value) {
            self.key = key
            self.value = value
        }
    }

    package var entries: [Entry]

    package init(_ entries: [Entry] = []) {
        self.entries = entries
    }

    package mutating func append(_ key: String, _ text: String) {
        entries.append(Entry(key: key, value: .text(text)))
    }

    package mutating func append(_ key: String, binary: [UInt8]) {
        entries.append(Entry(key: key, value: .binary(binary)))
    }
}
