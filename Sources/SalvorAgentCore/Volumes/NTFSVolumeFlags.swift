internal import Glibc

/// The flags of an NTFS volume, which ntfs-3g has no tool to show: read from its own record in the master file table.
struct NTFSVolumeFlags {
    /// Windows sets it while the volume is in use, and runs chkdsk at the next start when it is still set then.
    let isDirty: Bool

    /// Where $Volume's record is in the master file table.
    private static let recordNumber: UInt64 = 3
    private static let volumeInformation: UInt64 = 0x70

    /// Blocking.
    /// - Throws: ``AgentError/Code/corrupt`` when the record is not what NTFS has there.
    static func read(_ device: String) throws(AgentError) -> NTFSVolumeFlags {
        let file = try Descriptor.open(device, O_RDONLY)
        guard let sector = bytes(of: file, at: 0, count: 512), let boot = NTFSBootSector(sector),
            let offset = boot.recordOffset(recordNumber),
            let record = bytes(of: file, at: offset, count: boot.recordBytes), let flags = flags(in: record)
        else {
            throw AgentError(
                .corrupt, "The record of $Volume on \(device) cannot be read.",
                next: "Run chkdsk on a copy of the disk in Windows, or restore a backup.")
        }
        return NTFSVolumeFlags(isDirty: flags & 1 != 0)
    }

    /// - Parameter record: a FILE record; the fixups at its sectors' ends lie beyond what is read here, or are none of
    ///   the flags: attributes are small and begin in the first sector.
    private static func flags(in record: [UInt8]) -> UInt64? {
        guard record.starts(with: "FILE".utf8) else { return nil }
        var attribute = Int(littleEndian(record[0x14..<0x16]))
        while attribute + 24 <= record.count {
            let type = littleEndian(record[attribute..<attribute + 4])
            let length = Int(littleEndian(record[attribute + 4..<attribute + 8]))
            guard type != 0xFFFF_FFFF, length >= 24 else { return nil }
            if type == volumeInformation {
                let value = attribute + Int(littleEndian(record[attribute + 20..<attribute + 22]))
                // Resident; eight bytes reserved, two of version, two of flags, all before the first fixup.
                guard record[attribute + 8] == 0, value + 12 <= min(record.count, 510) else { return nil }
                return littleEndian(record[value + 10..<value + 12])
            }
            attribute += length
        }
        return nil
    }

    private static func bytes(of file: borrowing Descriptor, at offset: UInt64, count: Int) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: count)
        let read = buffer.withUnsafeMutableBytes { pread(file.number, $0.baseAddress, $0.count, off_t(offset)) }
        return read == count ? buffer : nil
    }
}

extension NTFSBootSector {
    /// Byte offset of a record in the first run of the master file table, where the system files always are.
    fileprivate func recordOffset(_ number: UInt64) -> UInt64? {
        let (table, overflow) = tableCluster.multipliedReportingOverflow(by: clusterBytes)
        guard !overflow, table < volumeBytes else { return nil }
        return table + number * UInt64(recordBytes)
    }
}
