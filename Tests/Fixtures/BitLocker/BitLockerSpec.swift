/// How a volume is encrypted by BitLocker. Everything follows from the seed.
package struct BitLockerSpec: Sendable {
    package typealias Cipher = VolumeCipher.Kind

    package enum Protector: Sendable, Hashable {
        /// Protection is suspended: the key lies on the volume.
        case clearKey
        case startupKey
        case recoveryPassword
        case password(String)
        /// Nothing here can open it.
        case tpm
    }

    package enum State: Sendable {
        case encrypted
        /// Encryption under way.
        case converting
        case encryptOnWrite
    }

    package var seed: UInt64
    package var cipher = Cipher.xts128
    package var sectorBytes = 512
    package var protectors: [Protector] = [.tpm, .recoveryPassword]
    package var state = State.encrypted
    package var isToGo = false
    /// What no file uses stays as it was before.
    package var encryptsUsedSpaceOnly = false

    package init(seed: UInt64 = 512, _ change: (inout BitLockerSpec) -> Void = { _ in }) {
        self.seed = seed
        change(&self)
    }

    /// The GUID of a protector, canonical and lower case.
    package func guid(of protector: Protector) -> String {
        let index = protectors.firstIndex(of: protector) ?? 99
        return "b17c0de0-0000-4000-8000-0000000000\(index < 10 ? "0" : "")\(index)"
    }

    /// 48 digits in eight groups.
    package var recoveryPassword: String {
        (0..<8).map { index in
            let number = (Int(recoveryKey[2 * index]) | Int(recoveryKey[2 * index + 1]) << 8) * 11
            return String(repeating: "0", count: 6 - String(number).count) + String(number)
        }.joined(separator: "-")
    }

    /// What the .BEK file of the startup key holds.
    package var startupKeyFile: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 48)
        bytes.put(UInt32(124), at: 0)
        bytes.put(UInt32(1), at: 4)
        bytes.put(UInt32(48), at: 8)
        bytes.put(UInt32(124), at: 12)
        bytes.put(GUID(guid(of: .startupKey)).bytes, at: 16)
        var external = Array(GUID(guid(of: .startupKey)).bytes) + [UInt8](repeating: 0, count: 8)
        external += BitLockerVolume.entry(type: 0, value: 1, [2, 0x20, 0, 0] + startupKey)
        return bytes + BitLockerVolume.entry(type: 6, value: 9, external)
    }

    /// Every secret of it, as bytes.
    package var secrets: [[UInt8]] {
        [recoveryKey, startupKey, masterKey, volumeKey, Array(recoveryPassword.utf8)]
    }

    var recoveryKey: [UInt8] { Noise.bytes(seed: seed &+ 1, count: 16) }
    var startupKey: [UInt8] { Noise.bytes(seed: seed &+ 2, count: 32) }
    var clearKey: [UInt8] { Noise.bytes(seed: seed &+ 3, count: 32) }
    var masterKey: [UInt8] { Noise.bytes(seed: seed &+ 4, count: 32) }
    var volumeKey: [UInt8] { Noise.bytes(seed: seed &+ 5, count: cipher.keyBytes) }
}
