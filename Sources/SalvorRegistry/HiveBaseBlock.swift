/// The first 4096 bytes of a hive, or the first 512 of its log. Source of this and of the log's format: the “Windows
/// registry file format specification” of Maxim Suhanov.
package struct HiveBaseBlock: Sendable {
    package static let byteCount = 4096
    static let checkedBytes = 508

    let primarySequence: UInt32
    let secondarySequence: UInt32
    /// 0 for a hive, 1 and 2 for a log of Windows 8 and before, 6 for one of Windows 8.1 and later.
    let fileType: UInt32
    /// Of the bins that follow, a multiple of 4096.
    let binsBytes: UInt32
    let isChecksumRight: Bool

    /// A write began and did not end: the rest of the hive is in its logs.
    package var isDirty: Bool { primarySequence != secondarySequence || !isChecksumRight }

    /// - Returns: nil for what does not begin as a hive.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= 512, bytes.starts(with: "regf".utf8) else { return nil }
        primarySequence = bytes.double(4)
        secondarySequence = bytes.double(8)
        fileType = bytes.double(28)
        binsBytes = bytes.double(40)
        isChecksumRight = bytes.double(Self.checkedBytes) == Self.checksum(bytes)
    }

    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var sum: UInt32 = 0
        for offset in stride(from: 0, to: checkedBytes, by: 4) { sum ^= bytes.double(offset) }
        return sum == 0 ? 1 : sum == .max ? .max - 1 : sum
    }
}
