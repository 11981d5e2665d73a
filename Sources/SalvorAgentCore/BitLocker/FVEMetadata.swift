package import SalvorMessages
package import SalvorSystem

/// What the metadata of a BitLocker volume (full volume encryption, “FVE”) says: how it is encrypted, where what lies,
/// and by which protectors its key can be had.
///
/// Read here and not by cryptsetup: Debian's opens no volume whose protection is suspended, tries a key on every
/// protector (a million rounds of SHA-256 each), and says what is wrong in sentences alone. What no key can open is
/// known before one is asked for. Format: the libbde project's specification, and cryptsetup's BITLK.
package struct FVEMetadata: Sendable {
    /// In canonical lower-case form.
    package var volumeGUID: String
    package var state: Salvor_V1_EncryptionState
    package var cipher: FVECipher?
    /// 512 or 4096.
    package var sectorBytes: Int
    /// Bytes from the partition's start that are encrypted.
    package var volumeBytes: UInt64
    /// Where the first bytes of the file system went, which the volume's own header stands in place of.
    package var header: Range<UInt64>
    /// Where the copies of the metadata lie, 64 KiB each.
    package var copies: [UInt64]
    package var protectors: [FVEProtector]
    /// The key of the volume, encrypted by the master key.
    package var volumeKey: WrappedKey?

    /// Bytes that each copy of the metadata takes.
    static let copyBytes: UInt64 = 65_536
}

/// One way to the master key.
package struct FVEProtector: Sendable {
    /// In canonical lower-case form.
    package var guid: String
    package var kind: Salvor_V1_KeyProtector.Kind
    /// The master key, encrypted by this protector's key; nil where it lies elsewhere (in a TPM, on a smart card).
    package var masterKey: WrappedKey?
    /// What a password is stretched with.
    package var salt: [UInt8]?
    /// The key itself, of a clear key.
    package var clearKey: SecretBytes?
}

/// A key under AES-CCM.
package struct WrappedKey: Sendable {
    package var nonce: [UInt8]
    package var tag: [UInt8]
    package var ciphertext: [UInt8]
}

/// How a volume's sectors are encrypted.
package enum FVECipher: UInt16, Sendable {
    case cbc128Diffuser = 0x8000
    case cbc256Diffuser = 0x8001
    case cbc128 = 0x8002
    case cbc256 = 0x8003
    case xts128 = 0x8004
    case xts256 = 0x8005

    package var name: String {
        switch self {
        case .cbc128Diffuser: "aes-cbc-128-diffuser"
        case .cbc256Diffuser: "aes-cbc-256-diffuser"
        case .cbc128: "aes-cbc-128"
        case .cbc256: "aes-cbc-256"
        case .xts128: "aes-xts-128"
        case .xts256: "aes-xts-256"
        }
    }

    /// As dm-crypt calls it.
    var specification: String {
        switch self {
        case .cbc128Diffuser, .cbc256Diffuser: "aes-cbc-elephant"
        case .cbc128, .cbc256: "aes-cbc-eboiv"
        case .xts128, .xts256: "aes-xts-plain64"
        }
    }

    /// Of the key that dm-crypt takes.
    var keyBytes: Int {
        switch self {
        case .cbc128: 16
        case .cbc256, .xts128, .cbc128Diffuser: 32
        case .xts256, .cbc256Diffuser: 64
        }
    }
}
