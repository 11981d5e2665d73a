internal import Glibc

/// One record of an NTFS volume's master file table, read from the device itself, for what has to be known before anything
/// is mounted. Only system files are read so: their records lie at the beginning of the table, and their attributes are in
/// the record.
struct NTFSRecord {
    /// Where the system files are in the table.
    enum SystemFile: UInt64 {
        case logFile = 2
        case volume = 3
    }

    private let bytes: [UInt8]
    private let clusterBytes: UInt64

    /// Blocking.
    /// - Throws: ``AgentError/Code/corrupt`` when the record is not what NTFS has there.
    static func read(_ file: SystemFile, on device: String) throws(AgentError) -> NTFSRecord {
        let disk = try Descriptor.open(device, O_RDONLY)
        guard let sector = disk.bytes(at: 0, count: 512), let boot = NTFSBootSector(sector),
            let offset = boot.recordOffset(file.rawValue),
            let raw = disk.bytes(at: offset, count: boot.recordBytes), raw.starts(with: "FILE".utf8),
            let bytes = withoutFixups(raw)
        else { throw .damaged("The record of $\(file) on \(device) cannot be read.") }
        return NTFSRecord(bytes: bytes, clusterBytes: boot.clusterBytes)
    }

    /// An attribute's value where it is in the record itself.
    func residentValue(_ type: UInt64) -> ArraySlice<UInt8>? {
        guard let start = attribute(type), bytes[start + 8] == 0, start + 24 <= bytes.count else { return nil }
        let length = Int(littleEndian(bytes[(start + 16)..<(start + 20)]))
        let value = start + Int(littleEndian(bytes[(start + 20)..<(start + 22)]))
        guard length <= bytes.count, value + length <= bytes.count else { return nil }
        return bytes[value..<(value + length)]
    }

    /// The first run of an attribute that is not in the record: where it lies on the volume, in bytes.
    func firstRun(_ type: UInt64) -> Range<UInt64>? {
        guard let start = attribute(type), start + 64 <= bytes.count, bytes[start + 8] == 1 else { return nil }
        let run = start + Int(littleEndian(bytes[(start + 32)..<(start + 34)]))
        guard run < bytes.count else { return nil }
        let lengthBytes = Int(bytes[run] & 0xF)
        let placeBytes = Int(bytes[run] >> 4)
        guard (1...8).contains(lengthBytes), (1...8).contains(placeBytes),
            run + 1 + lengthBytes + placeBytes <= bytes.count
        else { return nil }
        let length = littleEndian(bytes[(run + 1)..<(run + 1 + lengthBytes)])
        // The first place is counted from the volume's beginning and so is never negative.
        let place = littleEndian(bytes[(run + 1 + lengthBytes)..<(run + 1 + lengthBytes + placeBytes)])
        let (begin, overflow) = place.multipliedReportingOverflow(by: clusterBytes)
        let (count, overflow2) = length.multipliedReportingOverflow(by: clusterBytes)
        guard !overflow, !overflow2, begin <= UInt64(Int64.max) / 2, count <= UInt64(Int64.max) / 2 else { return nil }
        return begin..<(begin + count)
    }

    private func attribute(_ type: UInt64) -> Int? {
        var start = Int(littleEndian(bytes[0x14..<0x16]))
        while start + 24 <= bytes.count {
            let here = littleEndian(bytes[start..<(start + 4)])
            let length = Int(littleEndian(bytes[(start + 4)..<(start + 8)]))
            guard here != 0xFFFF_FFFF, length >= 24 else { return nil }
            if here == type { return start }
            start += length
        }
        return nil
    }

    /// NTFS puts a number into the last two bytes of each sector of a record, and keeps in front what belongs there: a
    /// record that was half written shows by it.
    static func withoutFixups(_ raw: [UInt8]) -> [UInt8]? {
        guard raw.count >= 512, raw.count % 512 == 0 else { return nil }
        var bytes = raw
        let array = Int(littleEndian(raw[4..<6]))
        let count = Int(littleEndian(raw[6..<8]))
        guard count >= 1, count - 1 <= raw.count / 512, array + 2 * count <= 512 else { return nil }
        for sector in 1..<max(count, 1) {
            let end = 512 * sector - 2
            guard raw[end..<(end + 2)].elementsEqual(raw[array..<(array + 2)]) else { return nil }
            bytes[end] = raw[array + 2 * sector]
            bytes[end + 1] = raw[array + 2 * sector + 1]
        }
        return bytes
    }
}

extension Descriptor {
    /// - Returns: nil where so many bytes cannot be read there.
    borrowing func bytes(at offset: UInt64, count: Int) -> [UInt8]? {
        guard offset <= UInt64(Int64.max) - UInt64(count) else { return nil }
        var buffer = [UInt8](repeating: 0, count: count)
        let read = buffer.withUnsafeMutableBytes { pread(number, $0.baseAddress, $0.count, off_t(offset)) }
        return read == count ? buffer : nil
    }
}

extension AgentError {
    static func damaged(_ what: String) -> AgentError {
        AgentError(.corrupt, what, next: "Run chkdsk on a copy of the disk in Windows, or restore a backup.")
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
