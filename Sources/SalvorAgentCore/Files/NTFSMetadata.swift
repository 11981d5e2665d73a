internal import CLinux
internal import SalvorMessages
internal import SwiftProtobuf

/// What NTFS keeps of a file beside its bytes, as ntfs-3g's extended attributes give it.
struct NTFSMetadata: Sendable {
    let times: Salvor_V1_FileTimes
    /// FILE_ATTRIBUTE_* bits.
    let attributes: UInt32
    /// Self-relative security descriptor; empty where it could not be read.
    let securityDescriptor: [UInt8]

    /// Times alone, which verdicts rest on.
    /// - Throws: ``AgentError/Code/unreadable``.
    static func times(of file: borrowing Descriptor, at path: String) throws(AgentError) -> Salvor_V1_FileTimes {
        guard let bytes = attribute("system.ntfs_times", of: file, limit: 64), bytes.count >= 32 else {
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

    /// Everything that is needed to put the file back as it was.
    static func all(of file: borrowing Descriptor, at path: String) throws(AgentError) -> NTFSMetadata {
        let times = try times(of: file, at: path)
        guard let bits = attribute("system.ntfs_attrib", of: file, limit: 16), bits.count >= 4 else {
            throw .systemCall("getxattr system.ntfs_attrib", path, code: .unreadable)
        }
        return NTFSMetadata(
            times: times, attributes: UInt32(truncatingIfNeeded: littleEndian(bits[0..<4])),
            securityDescriptor: attribute("system.ntfs_acl", of: file, limit: 1 << 16) ?? [])
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
