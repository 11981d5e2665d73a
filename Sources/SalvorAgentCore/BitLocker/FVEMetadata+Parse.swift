internal import CZlib
internal import SalvorMessages
internal import SalvorSystem

extension FVEMetadata {
    /// What the first sector of a BitLocker volume says.
    struct Header {
        var state: Salvor_V1_EncryptionState
        var sectorBytes: Int
        var copies: [UInt64]

        /// - Parameter sector: the volume's first 512 bytes.
        /// - Returns: nil for what is no BitLocker volume.
        init?(_ sector: [UInt8]) {
            guard sector.count >= 512 else { return nil }
            let isToGo = sector[3..<11].elementsEqual("MSWIN4.1".utf8)
            guard isToGo || sector[3..<11].elementsEqual("-FVE-FS-".utf8) else { return nil }
            let size = Int(littleEndian(sector[11..<13]))
            sectorBytes = size == 0 ? 512 : size
            copies = []
            // Vista's is another format.
            guard sector.starts(with: [0xEB, 0x58, 0x90]), [512, 4096].contains(sectorBytes) else {
                state = .unsupported
                return
            }
            let place = isToGo ? 424 : 160
            copies = (0..<3).map { littleEndian(sector[(place + 16 + 8 * $0)..<(place + 24 + 8 * $0)]) }
            switch canonicalGUID(sector[place..<(place + 16)]) {
            case "4967d63b-2e29-4ad8-8399-f6a339e3d001": state = .encrypted
            case "92a84d3b-dd80-4d0e-9e4e-b1e3284eaed8": state = .encryptOnWrite
            // A FAT volume that only looks as one of BitLocker To Go does.
            default:
                if isToGo { return nil }
                state = .unsupported
            }
        }
    }

    /// Reads one copy of the metadata.
    /// - Returns: nil where its checksum or its structure is not as it must be.
    init?(_ header: Header, copy: [UInt8], deviceBytes: UInt64) {
        guard copy.count == Int(Self.copyBytes), copy.starts(with: "-FVE-FS-".utf8), littleEndian(copy[10..<12]) == 2
        else { return nil }
        let checked = 16 * Int(littleEndian(copy[8..<10]))
        guard checked >= 112, checked + 8 <= copy.count,
            Self.checksum(copy[..<checked]) == littleEndian(copy[(checked + 4)..<(checked + 8)])
        else { return nil }
        let end = 64 + Int(littleEndian(copy[64..<68]))
        guard end >= 112, end <= checked, littleEndian(copy[72..<76]) == 48 else { return nil }

        volumeGUID = canonicalGUID(copy[80..<96])
        sectorBytes = header.sectorBytes
        copies = (0..<3).map { littleEndian(copy[(32 + 8 * $0)..<(40 + 8 * $0)]) }
        volumeBytes = littleEndian(copy[16..<24])
        cipher = FVECipher(rawValue: UInt16(littleEndian(copy[100..<102])))
        protectors = []
        volumeKey = nil
        var moved: Range<UInt64>?
        guard let entries = FVEEntry.list(copy[112..<end]) else { return nil }
        for entry in entries {
            switch entry.type {
            case FVEEntry.masterKeyType:
                guard let protector = FVEProtector(entry) else { return nil }
                protectors.append(protector)
            case FVEEntry.volumeKeyType where volumeKey == nil: volumeKey = WrappedKey(entry.data)
            case FVEEntry.headerType:
                guard entry.data.count >= 16 else { return nil }
                let start = littleEndian(entry.data.prefix(8))
                let count = littleEndian(entry.data.dropFirst(8).prefix(8))
                let (upper, overflow) = start.addingReportingOverflow(count)
                guard !overflow, (1...1 << 20).contains(count) else { return nil }
                moved = start..<upper
            default: continue
            }
        }
        guard let moved, volumeKey != nil else { return nil }
        self.header = moved

        state = header.state
        if state == .encrypted {
            let (now, next) = (littleEndian(copy[12..<14]), littleEndian(copy[14..<16]))
            if now != Self.settled || next != Self.settled {
                state = .converting
            } else if cipher == nil {
                state = .unsupported
            } else if protectors.contains(where: { $0.kind == .clearKey && $0.clearKey != nil }) {
                state = .suspended
            }
        }
        guard isLaidOut(within: deviceBytes) || ![.encrypted, .suspended].contains(state) else { return nil }
    }

    /// Encrypted, and to stay so.
    private static let settled: UInt64 = 4

    /// All that the mapping is made of lies on the volume, on its sectors, and nothing twice.
    private func isLaidOut(within deviceBytes: UInt64) -> Bool {
        let sector = UInt64(sectorBytes)
        guard volumeBytes <= deviceBytes, volumeBytes.isMultiple(of: sector)
        else { return false }
        let regions = regionsWithoutData.sorted { $0.lowerBound < $1.lowerBound }
        var last = UInt64(header.count)
        for region in regions {
            guard region.lowerBound >= last, region.upperBound <= volumeBytes,
                region.lowerBound.isMultiple(of: sector), region.upperBound.isMultiple(of: sector)
            else { return false }
            last = region.upperBound
        }
        return true
    }

    /// Where no sector of the file system lies.
    var regionsWithoutData: [Range<UInt64>] {
        copies.filter { $0 <= UInt64.max - Self.copyBytes }.map { $0..<($0 + Self.copyBytes) } + [header]
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.withUnsafeBytes { buffer in
            UInt64(crc32(0, buffer.bindMemory(to: UInt8.self).baseAddress, uInt(buffer.count)))
        }
    }
}

/// One entry of the metadata: what it is, and what it holds.
struct FVEEntry {
    static let masterKeyType: UInt64 = 2
    static let volumeKeyType: UInt64 = 3
    static let externalKeyType: UInt64 = 6
    static let headerType: UInt64 = 15

    static let keyValue: UInt64 = 1
    static let stretchValue: UInt64 = 3
    static let encryptedValue: UInt64 = 5

    var type: UInt64
    var value: UInt64
    var data: ArraySlice<UInt8>

    /// The entries one after the other, up to the first without a size.
    /// - Returns: nil where one is larger than what is left.
    static func list(_ bytes: ArraySlice<UInt8>) -> [FVEEntry]? {
        var entries: [FVEEntry] = []
        var rest = bytes
        while rest.count >= 8 {
            let start = rest.startIndex
            let size = Int(littleEndian(rest[start..<(start + 2)]))
            if size == 0 { break }
            guard size >= 8, size <= rest.count else { return nil }
            entries.append(
                FVEEntry(
                    type: littleEndian(rest[(start + 2)..<(start + 4)]),
                    value: littleEndian(rest[(start + 4)..<(start + 6)]), data: rest[(start + 8)..<(start + size)]))
            rest = rest.dropFirst(size)
        }
        return entries
    }
}

extension FVEProtector {
    fileprivate init?(_ entry: FVEEntry) {
        guard entry.data.count >= 28, let parts = FVEEntry.list(entry.data.dropFirst(28)) else { return nil }
        let start = entry.data.startIndex
        guid = canonicalGUID(entry.data[start..<(start + 16)])
        kind = Self.kind(littleEndian(entry.data[(start + 26)..<(start + 28)]))
        masterKey = nil
        salt = nil
        clearKey = nil
        for part in parts {
            switch part.value {
            case FVEEntry.encryptedValue where masterKey == nil: masterKey = WrappedKey(part.data)
            case FVEEntry.stretchValue where part.data.count >= 20: salt = Array(part.data.dropFirst(4).prefix(16))
            case FVEEntry.keyValue where kind == .clearKey && part.data.count == 36:
                clearKey = SecretBytes(part.data.dropFirst(4))
            default: continue
            }
        }
    }

    private static func kind(_ number: UInt64) -> Salvor_V1_KeyProtector.Kind {
        switch number {
        case 0x0000: .clearKey
        case 0x0100: .tpm
        case 0x0200: .startupKey
        case 0x0300: .tpmAndStartupKey
        case 0x0500: .tpmAndPin
        case 0x0800: .recoveryPassword
        case 0x1000: .smartCard
        case 0x2000: .password
        default: .unknown
        }
    }
}

extension WrappedKey {
    /// - Parameter data: nonce, tag, ciphertext; a key takes 12 bytes in front of its own 16 to 64.
    init?(_ data: ArraySlice<UInt8>) {
        guard (28 + 28...28 + 12 + 64).contains(data.count) else { return nil }
        nonce = Array(data.prefix(12))
        tag = Array(data.dropFirst(12).prefix(16))
        ciphertext = Array(data.dropFirst(28))
    }
}
