internal import Glibc

/// What the restart pages of `$LogFile` say: whether it was closed, and which version of Windows' log it is. Windows 8 and
/// later keep it in version 2.0 while the volume is in use, and write 1.1 when it is shut down; ntfs-3g takes every 2.0
/// for a session that would go on, and no option of its own resets it (volume.c, ntfs_volume_check_logfile).
struct NTFSLog: Equatable, Sendable {
    let major: UInt16
    let minor: UInt16
    /// A file system has it in use and did not say that it was clean.
    var isOpen: Bool

    /// Nothing but 0xFF: emptied, as after a reset, and so closed.
    static let empty = NTFSLog(major: 1, minor: 1, isOpen: false)

    var isCached: Bool { major >= 2 }

    private static let pageBytes = 4096
    private static let data: UInt64 = 0x80
    private static let noClient: UInt64 = 0xFFFF
    private static let volumeIsClean: UInt64 = 0x0002

    /// Blocking.
    /// - Throws: ``AgentError/Code/corrupt``.
    static func read(_ device: String) throws(AgentError) -> NTFSLog {
        guard let run = try NTFSRecord.read(.logFile, on: device).firstRun(data), run.count >= 2 * pageBytes else {
            throw .damaged("The record of $LogFile on \(device) does not say where it lies.")
        }
        let disk = try Descriptor.open(device, O_RDONLY)
        guard let pages = disk.bytes(at: run.lowerBound, count: 2 * pageBytes) else {
            throw .damaged("$LogFile on \(device) cannot be read.")
        }
        if pages.allSatisfy({ $0 == 0xFF }) { return empty }
        let restarts = [pages[..<pageBytes], pages[pageBytes...]].compactMap { restart(Array($0)) }
        // What cannot be read was not closed either, and is reset as an open one is.
        return restarts.max { $0.sequence < $1.sequence }?.log ?? NTFSLog(major: 1, minor: 1, isOpen: true)
    }

    /// Restart page and restart area, as ntfs-3g's logfile.h lays them out.
    private static func restart(_ raw: [UInt8]) -> (sequence: UInt64, log: NTFSLog)? {
        guard raw.starts(with: "RSTR".utf8) || raw.starts(with: "CHKD".utf8), let page = NTFSRecord.withoutFixups(raw)
        else { return nil }
        let area = Int(littleEndian(page[24..<26]))
        guard area + 48 <= page.count else { return nil }
        func field(_ offset: Int, _ count: Int) -> UInt64 {
            littleEndian(page[(area + offset)..<(area + offset + count)])
        }
        let isOpen = field(12, 2) != noClient && field(14, 2) & volumeIsClean == 0
        return (
            field(0, 8),
            NTFSLog(
                major: UInt16(littleEndian(page[28..<30])), minor: UInt16(littleEndian(page[26..<28])), isOpen: isOpen)
        )
    }
}
