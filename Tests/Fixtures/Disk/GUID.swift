/// A GUID as partition tables store it: the first three fields little-endian.
package struct GUID: Hashable, Sendable, CustomStringConvertible {
    /// 16 of them, in the order on disk.
    package let bytes: [UInt8]

    package static let efiSystem = GUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
    package static let microsoftReserved = GUID("e3c9e316-0b5c-4db8-817d-f92df00215ae")
    package static let basicData = GUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")
    package static let logicalDiskManagerData = GUID("af9b60a0-1431-4f62-bc68-3311714a69ad")
    package static let logicalDiskManagerMetadata = GUID("5808c8aa-7e8f-42e0-85d2-e1e90434cfb3")
    package static let storageSpaces = GUID("e75caf8f-f680-4cee-afa3-b001e56efc2d")
    package static let zero = GUID(onDisk: [UInt8](repeating: 0, count: 16)[...])

    /// - Parameter text: the canonical form with hyphens; anything else is a mistake in the test.
    package init(_ text: String) {
        let digits = Array(text.utf8).filter { $0 != UInt8(ascii: "-") }
        precondition(digits.count == 32, "\(text) is no GUID")
        let plain = stride(from: 0, to: 32, by: 2).map { index in
            UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16) ?? 0
        }
        bytes = Self.swapped(plain)
    }

    /// - Parameter bytes: 16 bytes as they lie on a disk.
    package init(onDisk bytes: ArraySlice<UInt8>) { self.bytes = Array(bytes) }

    /// In the order in which the canonical form has them.
    package var plainBytes: [UInt8] { Self.swapped(bytes) }

    /// The canonical form, lower case.
    package var description: String {
        let hex = Self.swapped(bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        var text = ""
        for (index, digit) in hex.enumerated() {
            if [8, 12, 16, 20].contains(index) { text += "-" }
            text.append(digit)
        }
        return text
    }

    private static func swapped(_ bytes: [UInt8]) -> [UInt8] {
        [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map { bytes[$0] }
    }
}
