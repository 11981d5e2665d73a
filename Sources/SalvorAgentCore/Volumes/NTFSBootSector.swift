internal import Glibc

/// The first sector of an NTFS volume: enough to tell a volume that is shorter than it says. ntfs-3g mounts such a
/// volume, and takes a log that it cannot read for an open one, which a read-write mount would then "repair".
struct NTFSBootSector {
    let bytesPerSector: UInt64
    let totalSectors: UInt64
    let clusterBytes: UInt64
    /// Where the master file table begins.
    let tableCluster: UInt64
    /// Bytes of one of its records.
    let recordBytes: Int

    /// - Returns: nil for what is no NTFS boot sector.
    init?(_ sector: [UInt8]) {
        guard sector.count >= 512, sector[3..<11].elementsEqual("NTFS    ".utf8) else { return nil }
        bytesPerSector = littleEndian(sector[0x0B..<0x0D])
        totalSectors = littleEndian(sector[0x28..<0x30])
        guard [256, 512, 1024, 2048, 4096].contains(bytesPerSector), totalSectors > 0, totalSectors < UInt64.max / 4096
        else { return nil }
        // Both are powers of two above 0x7F: the exponent, negated.
        let sectorsPerCluster = sector[0x0D] <= 0x80 ? UInt64(sector[0x0D]) : 1 << min(32, 256 - UInt64(sector[0x0D]))
        clusterBytes = sectorsPerCluster * bytesPerSector
        tableCluster = littleEndian(sector[0x30..<0x38])
        let size = Int8(bitPattern: sector[0x40])
        let bytes = size < 0 ? UInt64(1) << UInt64(min(63, -Int(size))) : UInt64(size) * clusterBytes
        guard (1...(2 << 20)).contains(clusterBytes), (512...65_536).contains(bytes) else { return nil }
        recordBytes = Int(bytes)
    }

    /// Bytes that the volume says it has.
    var volumeBytes: UInt64 { bytesPerSector * totalSectors }

    /// Reads a device's boot sector and holds it against the device's size. Blocking.
    /// - Throws: ``AgentError/Code/notNTFS``, ``AgentError/Code/truncated``.
    static func check(_ device: String) throws(AgentError) {
        let file = try Descriptor.open(device, O_RDONLY)
        let size = try file.size(of: device)
        var sector = [UInt8](repeating: 0, count: 512)
        let count = sector.withUnsafeMutableBytes { pread(file.number, $0.baseAddress, $0.count, 0) }
        guard count == sector.count, let boot = NTFSBootSector(sector) else {
            throw AgentError(
                .notNTFS, "\(device) does not begin with an NTFS boot sector.",
                next: "Check that this is the OS disk; if it is, its boot sector is damaged and needs a person.")
        }
        guard boot.volumeBytes <= size else {
            throw AgentError(
                .truncated, "The NTFS volume on \(device) has \(boot.volumeBytes) bytes, but only \(size) are there.",
                next: "The disk or its copy was cut short: copy it again.")
        }
    }
}
