import SalvorCoordinatorCore
import SystemPackage

/// The last sector of a VHD (Microsoft, Virtual Hard Disk Image Format Specification 1.0), which QEMU believes without
/// its checksum, and has no check for.
enum VHDFooter {
    private static let bytes: UInt64 = 512
    private static let cookie = Array("conectix".utf8)

    static func isThere(_ path: FilePath, sizeBytes: UInt64) -> Bool {
        (try? read(path, sizeBytes)) != nil
    }

    /// - Throws: why the disk cannot be worked with: damaged, or of a kind that is not written.
    static func check(_ path: FilePath, sizeBytes: UInt64) throws(ProviderError) {
        guard let footer = try read(path, sizeBytes) else {
            throw DiskProblem.damaged(path, "it does not end with a VHD's footer")
        }
        let sum = footer.enumerated().reduce(UInt32(0)) { sum, byte in
            (64..<68).contains(byte.offset) ? sum : sum &+ UInt32(byte.element)
        }
        guard number(footer[64..<68]) == UInt64(~sum) else {
            throw DiskProblem.damaged(path, "the checksum of its VHD footer is wrong")
        }
        switch number(footer[60..<64]) {
        case 2:
            let content = number(footer[48..<56])
            guard content == sizeBytes - bytes else {
                throw DiskProblem.damaged(
                    path, "its footer speaks of \(content) bytes, and \(sizeBytes - bytes) are there")
            }
        case 3: return
        case 4:
            throw ProviderError(
                .unsupported,
                "The disk \(path) is a differencing VHD: what it holds is only what differs from another file.",
                nextStep: "Merge it with its parent, or rescue a copy that was exported whole. Nothing was changed.")
        case let kind: throw DiskProblem.damaged(path, "its VHD footer has the unknown type \(kind)")
        }
    }

    private static func read(_ path: FilePath, _ sizeBytes: UInt64) throws(ProviderError) -> [UInt8]? {
        guard sizeBytes >= bytes else { return nil }
        do {
            let file = try FileDescriptor.open(path, .readOnly)
            return try file.closeAfter {
                var footer = [UInt8](repeating: 0, count: Int(bytes))
                let count = try footer.withUnsafeMutableBytes {
                    try file.read(fromAbsoluteOffset: Int64(sizeBytes - bytes), into: $0)
                }
                return count == footer.count && footer.starts(with: cookie) ? footer : nil
            }
        } catch {
            throw DiskProblem.opening(path, error)
        }
    }

    /// Big-endian, as all of a VHD is.
    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}
