internal import Glibc
internal import SalvorDigest
internal import SalvorMessages

extension FVEMetadata {
    /// Of a volume of which nothing is known but that it is encrypted.
    static var damaged: FVEMetadata {
        FVEMetadata(
            volumeGUID: "", state: .damaged, cipher: nil, sectorBytes: 512, volumeBytes: 0, header: 0..<0, copies: [],
            protectors: [], volumeKey: nil)
    }

    /// Reads the metadata of a volume. Blocking.
    /// - Returns: nil where it is none of BitLocker's. Where no copy is whole, or the format is not known, the state
    ///   says so and there are no protectors.
    static func read(_ device: String) throws(AgentError) -> FVEMetadata? {
        let file = try Descriptor.open(device, O_RDONLY)
        let size = try file.size(of: device)
        guard let sector = bytes(of: file, at: 0, count: 512), let header = Header(sector) else { return nil }
        for offset in header.copies {
            if let copy = bytes(of: file, at: offset, count: Int(copyBytes)),
                let metadata = FVEMetadata(header, copy: copy, deviceBytes: size)
            {
                return metadata
            }
        }
        return FVEMetadata(
            volumeGUID: "", state: header.state == .unsupported ? .unsupported : .damaged, cipher: nil,
            sectorBytes: header.sectorBytes, volumeBytes: size, header: 0..<0, copies: header.copies, protectors: [],
            volumeKey: nil)
    }

    /// SHA-256 over the volume's header and all copies of its metadata, protectors included: the same before and after a
    /// repair. Blocking.
    func digest(of device: String) throws(AgentError) -> Digest {
        let file = try Descriptor.open(device, O_RDONLY)
        var hash = SHA256()
        for (offset, count) in [(UInt64(0), UInt64(512))] + copies.map({ ($0, Self.copyBytes) }) {
            guard let piece = Self.bytes(of: file, at: offset, count: Int(count)) else {
                throw AgentError(
                    .unreadable, "The encryption's metadata at byte \(offset) of \(device) cannot be read.",
                    next: "Copy the disk again.")
            }
            hash.update(piece)
        }
        return hash.finalize()
    }

    private static func bytes(of file: borrowing Descriptor, at offset: UInt64, count: Int) -> [UInt8]? {
        guard offset < UInt64(Int64.max) - copyBytes else { return nil }
        var buffer = [UInt8](repeating: 0, count: count)
        let read = buffer.withUnsafeMutableBytes { pread(file.number, $0.baseAddress, $0.count, off_t(offset)) }
        return read == count ? buffer : nil
    }
}
