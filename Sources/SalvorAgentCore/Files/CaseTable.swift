internal import Glibc

/// What upper case is on one volume: unit by unit, as NTFS compares names, so that one unit never becomes two ("ß" stays),
/// and what lies outside the basic plane stays as it is.
///
/// Each NTFS volume has its own table, $UpCase, as the Windows had that formatted it, and Windows compares by that. Unicode's
/// is wider: it makes "I" of "ı" and "S" of "ſ", which are other letters to Windows.
package struct CaseTable: Sendable {
    /// One for each UTF-16 unit; nil for Unicode's.
    private let units: [UInt16]?

    private static let unitCount = 1 << 16

    /// For what has no table of its own: FAT.
    package static let unicode = CaseTable(units: nil)

    private init(units: [UInt16]?) { self.units = units }

    /// The table of an NTFS volume; nil where there is none that can be one. Blocking.
    init?(of tree: VolumeTree) {
        guard let name = FileName("$UpCase"), let file = try? tree.openFile([name]),
            let bytes = file.bytes(at: 0, count: 2 * Self.unitCount)
        else { return nil }
        let units = stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
        // Windows refuses a volume whose table has anything else for ASCII.
        guard (0..<0x80).allSatisfy({ units[$0] == Self.unicode.fold(UInt16($0)) }) else { return nil }
        self.units = units
    }

    package func fold(_ unit: UInt16) -> UInt16 {
        switch unit {
        case 0x61...0x7A: return unit - 0x20
        case 0..<0x80: return unit
        default:
            if let units { return units[Int(unit)] }
            guard let scalar = Unicode.Scalar(unit) else { return unit }
            let upper = scalar.properties.uppercaseMapping.utf16
            guard upper.count == 1, let first = upper.first else { return unit }
            return first
        }
    }

    package func fold(_ text: String) -> [UInt16] { text.utf16.map(fold) }

    /// What two names share when Windows takes them for one.
    package func fold(_ name: FileName) -> [UInt16] {
        if let valid = String(validating: name.bytes, as: UTF8.self) { return fold(valid) }
        // A lone surrogate half is a valid NTFS name and no UTF-8: each of its bytes stays apart from every valid name.
        return name.bytes.map { $0 < 0x80 ? fold(UInt16($0)) : 0xDC00 | UInt16($0) }
    }
}
