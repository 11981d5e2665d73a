/// The `api-version` of a request. Clients mix versions freely, so any that is well formed is taken.
package struct APIVersion: Hashable, Sendable {
    package let text: String

    /// - Throws: Azure's error for a version that is missing or not `YYYY-MM-DD`, with or without `-preview` and the like.
    package init(_ text: String?) throws(ARMError) {
        guard let text, !text.isEmpty else {
            throw ARMError(
                400, "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.")
        }
        let parts = text.split(separator: "-", maxSplits: 3, omittingEmptySubsequences: false)
        let isDate =
            parts.count >= 3
            && zip(parts, [4, 2, 2]).allSatisfy { part, length in
                part.utf8.count == length && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
            }
        let hasGoodSuffix =
            parts.count < 4
            || (!parts[3].isEmpty && parts[3].utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: ".") })
        guard isDate, hasGoodSuffix else {
            throw ARMError(
                400, "InvalidApiVersionParameter", "The api-version '\(printable(text))' is invalid.")
        }
        self.text = text
    }
}

extension UInt8 {
    var isLetterOrDigit: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }
}

/// Text of a client made safe for a message: printable ASCII, at most 200 characters.
func printable(_ text: String) -> String {
    String(decoding: text.utf8.prefix(200).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
}
