/// The flags of an NTFS volume, which ntfs-3g has no tool to show: read from its own record in the master file table.
struct NTFSVolumeFlags: OptionSet, Sendable {
    let rawValue: UInt16

    /// Windows sets it while the volume is in use, and runs chkdsk at the next start when it is still set then.
    static let dirty = Self(rawValue: 0x0001)
    /// chkdsk has begun and not ended.
    static let checkUnderWay = Self(rawValue: 0x4000)

    private static let volumeInformation: UInt64 = 0x70

    /// Blocking.
    /// - Throws: ``AgentError/Code/corrupt`` when the record is not what NTFS has there.
    static func read(_ device: String) throws(AgentError) -> NTFSVolumeFlags {
        let record = try NTFSRecord.read(.volume, on: device)
        // Eight bytes reserved, two of version, two of flags.
        guard let value = record.residentValue(volumeInformation), value.count >= 12 else {
            throw .damaged("The record of $Volume on \(device) has no flags.")
        }
        let start = value.startIndex + 10
        return Self(rawValue: UInt16(littleEndian(value[start..<(start + 2)])))
    }
}
