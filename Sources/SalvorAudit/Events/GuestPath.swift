/// A path below a guest volume's root, as the disk spells it. Its names are a stranger's.
package struct GuestPath: Hashable, Sendable, Codable {
    /// From the root down; an NTFS name may hold every character but `/` and NUL.
    package var components: [String]

    package init(_ components: [String]) { self.components = components }

    package init(from decoder: any Decoder) throws {
        components = try decoder.singleValueContainer().decode([String].self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(components)
    }

    /// `\Windows\System32`, printable. A backslash within a name shows as `\u{5C}`, so that no name looks like two.
    package var display: String {
        components.map { name in
            // By scalar: a backslash with a combining mark is another Character.
            let parts = name.unicodeScalars.split(separator: "\\", omittingEmptySubsequences: false)
            return "\\" + parts.map { printable(String($0)) }.joined(separator: "\\u{5C}")
        }.joined()
    }
}
