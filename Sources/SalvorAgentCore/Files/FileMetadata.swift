internal import CLinux
internal import FoundationEssentials
internal import Glibc
internal import SalvorMessages
internal import SwiftProtobuf

/// What NTFS keeps of a file beside its bytes, as ntfs-3g's extended attributes give it; and the little that FAT does.
struct FileMetadata: Sendable {
    let times: Salvor_V1_FileTimes
    /// FILE_ATTRIBUTE_* bits.
    let attributes: UInt32
    /// Self-relative security descriptor; empty where it could not be read.
    let securityDescriptor: [UInt8]

    /// Times alone, which verdicts rest on.
    /// - Throws: ``AgentError/Code/unreadable``.
    static func times(of file: borrowing Descriptor, at path: String) throws(AgentError) -> Salvor_V1_FileTimes {
        guard let bytes = attribute(timesName, of: file, limit: 64), bytes.count >= 32 else {
            if errno == EOPNOTSUPP, fatAttributes(of: file) != nil { return try fatTimes(of: file, at: path) }
            throw .systemCall("getxattr system.ntfs_times", path, code: .unreadable)
        }
        // Little-endian, in this order: ntfs-3g 2022.10.3.
        return .with {
            $0.created = littleEndian(bytes[0..<8])
            $0.modified = littleEndian(bytes[8..<16])
            $0.accessed = littleEndian(bytes[16..<24])
            $0.mftChanged = littleEndian(bytes[24..<32])
        }
    }

    /// How many names a file has, links of other folders among them. A short name (8.3) that NTFS keeps beside a long one is
    /// the same name for whoever opens the file; NTFS counts it as a link, and a file has one at most.
    /// - Parameter path: as Windows writes it, with the name that the volume has.
    static func nameCount(of file: borrowing Descriptor, at path: String) throws(AgentError) -> Int {
        var status = stat()
        guard fstat(file.number, &status) == 0 else { throw .systemCall("stat", path, code: .unreadable) }
        let short = String(decoding: attribute(shortName, of: file, limit: 64) ?? [], as: UTF8.self)
        let isBeside = !short.isEmpty && !path.lowercased().hasSuffix("\\" + short.lowercased())
        return max(1, Int(status.st_nlink) - (isBeside ? 1 : 0))
    }

    /// FILE_ATTRIBUTE_ENCRYPTED: its bytes are for who has the key.
    static func isEncrypted(_ file: borrowing Descriptor) -> Bool {
        guard let bits = attribute(attributesName, of: file, limit: 16), bits.count >= 4 else { return false }
        return littleEndian(bits[0..<4]) & 0x4000 != 0
    }

    /// Everything that is needed to put the file back as it was.
    static func all(of file: borrowing Descriptor, at path: String) throws(AgentError) -> FileMetadata {
        let times = try times(of: file, at: path)
        guard let bits = attribute(attributesName, of: file, limit: 16), bits.count >= 4 else {
            if let bits = fatAttributes(of: file) {
                return FileMetadata(times: times, attributes: bits, securityDescriptor: [])
            }
            throw .systemCall("getxattr system.ntfs_attrib", path, code: .unreadable)
        }
        return FileMetadata(
            times: times, attributes: UInt32(truncatingIfNeeded: littleEndian(bits[0..<4])),
            securityDescriptor: attribute(securityName, of: file, limit: 1 << 16) ?? [])
    }

    private static let timesName = "system.ntfs_times"
    private static let attributesName = "system.ntfs_attrib"
    private static let securityName = "system.ntfs_acl"
    private static let shortName = "system.ntfs_dos_name"

    /// Gives a file what it had: rights, then attributes, then times, which the others would touch. When its record last
    /// changed is not among them: ntfs-3g writes now.
    /// - Throws: ``AgentError/Code/systemCall``.
    static func set(_ entry: Salvor_V1_QuarantineEntry, on file: borrowing Descriptor, at path: String)
        throws(AgentError)
    {
        if fatAttributes(of: file) != nil {
            var times = [timespec(fileTime: entry.times.accessed), timespec(fileTime: entry.times.modified)]
            guard salvor_set_fat_attributes(file.number, entry.attributes & 0x27) == 0,
                futimens(file.number, &times) == 0
            else { throw .systemCall("setting the times", path) }
            return
        }
        func put(_ name: String, _ bytes: [UInt8]) throws(AgentError) {
            guard fsetxattr(file.number, name, bytes, bytes.count, 0) == 0 else {
                throw .systemCall("setxattr \(name)", path)
            }
        }
        if !entry.securityDescriptor.isEmpty { try put(securityName, Array(entry.securityDescriptor)) }
        // What a file is made of, sparse or compressed, is not an attribute that can be set.
        try put(attributesName, littleEndian(UInt64(entry.attributes & settableAttributes), 4))
        let times = [entry.times.created, entry.times.modified, entry.times.accessed]
        try put(timesName, times.flatMap { littleEndian($0, 8) })
    }

    /// Read-only, hidden, system, archive, temporary, offline, not indexed: what ntfs-3g lets be set.
    fileprivate static let settableAttributes: UInt32 = 0x3127

    private static func fatAttributes(of file: borrowing Descriptor) -> UInt32? {
        var bits: UInt32 = 0
        return salvor_fat_attributes(file.number, &bits) == 0 ? bits : nil
    }

    private static func fatTimes(of file: borrowing Descriptor, at path: String) throws(AgentError)
        -> Salvor_V1_FileTimes
    {
        var status = stat()
        guard fstat(file.number, &status) == 0 else { throw .systemCall("stat", path, code: .unreadable) }
        return .with {
            $0.created = status.st_ctim.fileTime
            $0.modified = status.st_mtim.fileTime
            $0.accessed = status.st_atim.fileTime
            $0.mftChanged = status.st_ctim.fileTime
        }
    }

    private static func attribute(_ name: String, of file: borrowing Descriptor, limit: Int) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = buffer.withUnsafeMutableBytes { fgetxattr(file.number, name, $0.baseAddress, $0.count) }
        return count >= 0 ? Array(buffer[..<count]) : nil
    }
}

/// Up to eight bytes, the first the lowest.
func littleEndian(_ bytes: some BidirectionalCollection<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
}

func littleEndian(_ number: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
}

extension timespec {
    /// Seconds from 1601 to 1970.
    private static let epoch = 11_644_473_600

    /// In the intervals of 100 ns since 1601 that NTFS counts.
    fileprivate var fileTime: UInt64 { UInt64(max(0, tv_sec + Self.epoch)) * 10_000_000 + UInt64(tv_nsec / 100) }

    fileprivate init(fileTime: UInt64) {
        self.init(tv_sec: Int(fileTime / 10_000_000) - Self.epoch, tv_nsec: Int(fileTime % 10_000_000) * 100)
    }
}

extension Salvor_V1_QuarantineEntry {
    /// Whether a file that was put back has what ``FileMetadata/set(_:on:at:)`` gives. FAT keeps a last-write time to two
    /// seconds, and no more.
    func isRestored(by found: FileMetadata) -> Bool {
        let mask = FileMetadata.settableAttributes
        guard !found.securityDescriptor.isEmpty else {
            let apart = max(found.times.modified, times.modified) - min(found.times.modified, times.modified)
            return apart <= 20_000_000
        }
        return found.times.created == times.created && found.times.modified == times.modified
            && found.attributes & mask == attributes & mask
            && (securityDescriptor.isEmpty || found.securityDescriptor.elementsEqual(securityDescriptor))
    }
}
