internal import Glibc
internal import SalvorDigest
internal import SalvorMessages

/// The bytes of a disk that hold partition tables and boot code: before the first partition and after the last. A
/// repair changes none of them, and a digest before and after says so.
///
/// A disk that was enlarged without its partitions can have gigabytes there: at most ``limit`` bytes from each end of
/// the disk are read, a thousand times what a GPT takes.
struct TableRegions {
    static let limit: UInt64 = 16 << 20

    let ranges: [Range<UInt64>]

    init(_ disk: Salvor_V1_Disk) {
        guard !disk.volumes.isEmpty else {
            ranges = []
            return
        }
        let first = min(disk.volumes.map(\.startBytes).min() ?? 0, disk.sizeBytes)
        let ends = disk.volumes.map { $0.startBytes.addingReportingOverflow($0.sizeBytes) }
        let last = ends.map { $0.overflow ? disk.sizeBytes : min($0.partialValue, disk.sizeBytes) }.max() ?? 0
        let tail = max(last, disk.sizeBytes - min(disk.sizeBytes, Self.limit))
        ranges = [0..<min(first, Self.limit), tail..<disk.sizeBytes].filter { !$0.isEmpty }
    }

    /// SHA-256 over the regions, from the device itself. Blocking.
    func digest(ofDisk device: String) throws(AgentError) -> Digest {
        let disk = try Descriptor.open(device, O_RDONLY)
        var hash = SHA256()
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        for range in ranges {
            var offset = range.lowerBound
            while offset < range.upperBound {
                let wanted = Int(min(UInt64(buffer.count), range.upperBound - offset))
                let count = try readChunk(disk, &buffer, wanted, at: offset, device)
                guard count == wanted else {
                    throw AgentError(
                        .truncated,
                        "\(device) ends at byte \(offset + UInt64(count)), before its size of \(range.upperBound).",
                        next: "Copy the disk again.")
                }
                buffer.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
                offset += UInt64(count)
            }
        }
        return hash.finalize()
    }

    private func readChunk(
        _ disk: borrowing Descriptor, _ buffer: inout [UInt8], _ wanted: Int, at offset: UInt64, _ device: String
    ) throws(AgentError) -> Int {
        let result: Result<Int, AgentError> = buffer.withUnsafeMutableBytes { bytes in
            do throws(AgentError) {
                let part = UnsafeMutableRawBufferPointer(rebasing: bytes[..<wanted])
                return .success(try disk.read(into: part, at: Int64(offset), of: device))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
