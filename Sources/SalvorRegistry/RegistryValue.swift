internal import CHivex

/// A registry value: its type's number, as Windows counts, and its bytes.
package struct RegistryValue: Hashable, Sendable {
    package var type: UInt32
    package var bytes: [UInt8]

    package init(type: UInt32, bytes: [UInt8]) {
        self.type = type
        self.bytes = bytes
    }

    package static func text(_ text: String) -> Self { Self(type: hive_t_REG_SZ.rawValue, bytes: utf16(text)) }

    package static func expandableText(_ text: String) -> Self {
        Self(type: hive_t_REG_EXPAND_SZ.rawValue, bytes: utf16(text))
    }

    package static func texts(_ texts: [String]) -> Self {
        Self(type: hive_t_REG_MULTI_SZ.rawValue, bytes: texts.flatMap(utf16) + [0, 0])
    }

    package static func number(_ number: UInt32) -> Self {
        Self(type: hive_t_REG_DWORD.rawValue, bytes: littleEndian(UInt64(number), 4))
    }

    package static func longNumber(_ number: UInt64) -> Self {
        Self(type: hive_t_REG_QWORD.rawValue, bytes: littleEndian(number, 8))
    }

    package static func binary(_ bytes: [UInt8]) -> Self { Self(type: hive_t_REG_BINARY.rawValue, bytes: bytes) }

    /// As an operator reads it.
    package var shown: String {
        switch hive_type(type) {
        case hive_t_REG_SZ, hive_t_REG_EXPAND_SZ: "“\(Self.text(bytes))”"
        case hive_t_REG_MULTI_SZ:
            Self.text(bytes).split(separator: "\0").map { "“\($0)”" }.joined(separator: ", ")
        case hive_t_REG_DWORD where bytes.count == 4, hive_t_REG_QWORD where bytes.count == 8:
            "\(bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })"
        default: "\(bytes.count) bytes of type \(type)"
        }
    }

    private static func utf16(_ text: String) -> [UInt8] {
        (Array(text.utf16) + [0]).flatMap { littleEndian(UInt64($0), 2) }
    }

    private static func text(_ bytes: [UInt8]) -> String {
        let units = stride(from: 0, to: bytes.count - 1, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
        var text = String(decoding: units.prefix(512), as: UTF16.self)
        while text.hasSuffix("\0") { text.removeLast() }
        return text
    }

    private static func littleEndian(_ number: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
    }
}
