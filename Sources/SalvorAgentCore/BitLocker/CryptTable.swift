internal import SalvorSystem

/// The table by which the device mapper shows a BitLocker volume decrypted: the beginning of the file system comes from
/// where BitLocker moved it, its own metadata read as zeroes, and all else is decrypted where it lies.
struct CryptTable {
    /// In bytes. A piece without a source reads as zeroes, and what is written to it goes nowhere.
    struct Piece: Equatable {
        var range: Range<UInt64>
        var source: UInt64?
    }

    let metadata: FVEMetadata
    let pieces: [Piece]

    init(_ metadata: FVEMetadata) {
        self.metadata = metadata
        var pieces = [Piece(range: 0..<UInt64(metadata.header.count), source: metadata.header.lowerBound)]
        var end = UInt64(metadata.header.count)
        for gap in metadata.regionsWithoutData.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if end < gap.lowerBound { pieces.append(Piece(range: end..<gap.lowerBound, source: end)) }
            pieces.append(Piece(range: gap, source: nil))
            end = gap.upperBound
        }
        if end < metadata.volumeBytes { pieces.append(Piece(range: end..<metadata.volumeBytes, source: end)) }
        self.pieces = pieces
    }

    /// - Parameter device: the encrypted partition.
    func targets(_ key: VolumeKey, device: String) -> [DeviceMapper.Target] {
        pieces.map { piece in
            let kind = piece.source == nil ? "zero" : "crypt"
            return DeviceMapper.Target(
                start: piece.range.lowerBound / 512, count: UInt64(piece.range.count) / 512, kind: kind,
                parameters: parameters(piece, key, device))
        }
    }

    /// `CIPHER KEY IV_OFFSET DEVICE OFFSET [options]`: the kernel's dm-crypt.rst.
    private func parameters(_ piece: Piece, _ key: VolumeKey, _ device: String) -> SecretBytes {
        guard let source = piece.source else { return SecretBytes([]) }
        let sector = source / 512
        // Sectors of 4 KiB are numbered as such.
        let options = metadata.sectorBytes == 512 ? "" : " 2 sector_size:\(metadata.sectorBytes) iv_large_sectors"
        let front = Array("\(key.cipher.specification) ".utf8)
        let back = Array(" \(sector) \(device) \(sector)\(options)".utf8)
        return SecretBytes(count: front.count + 2 * key.bytes.count + back.count) { (bytes) in
            bytes.copyBytes(from: front)
            key.bytes.withBytes { secret in
                for (index, byte) in secret.enumerated() {
                    bytes[front.count + 2 * index] = Self.digit(byte >> 4)
                    bytes[front.count + 2 * index + 1] = Self.digit(byte & 0xF)
                }
            }
            UnsafeMutableRawBufferPointer(rebasing: bytes[(bytes.count - back.count)...]).copyBytes(from: back)
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x61 + value - 10 }
}
