internal import SalvorMessages
internal import SalvorSystem

/// How trying keys on a volume ended.
enum FVEUnlock: Sendable {
    case unlocked(VolumeKey, protector: FVEProtector)
    /// None is for a protector of this volume.
    case noKey
    /// Tried, and none of them is right.
    case wrongKey(tried: [FVEProtector])
    case notPossible
}

/// A volume's key, as dm-crypt takes it.
struct VolumeKey: Sendable {
    let cipher: FVECipher
    let bytes: SecretBytes
}

extension FVEMetadata {
    /// Tries what needs no key, then the given keys on the protectors of their kind. Blocking: see ``KeyStretch``.
    func unlock(_ keys: [GivenKey], stop: StopSignal) throws(AgentError) -> FVEUnlock {
        guard let cipher, let volumeKey, state == .encrypted || state == .suspended else { return .notPossible }
        var tried: [FVEProtector] = []
        for protector in protectors {
            guard let wrapped = protector.masterKey else { continue }
            for candidate in candidates(for: protector, keys) {
                try stop.check()
                let key = try candidate.key(stop)
                guard let master = try wrapped.unwrapped(by: key) else {
                    tried.append(protector)
                    continue
                }
                guard let plain = try volumeKey.unwrapped(by: master), let bytes = cipher.key(from: plain) else {
                    throw AgentError(
                        .corrupt, "The master key of volume \(volumeGUID) opens, and its volume key does not.",
                        next: "Its BitLocker metadata is damaged: restore a backup.")
                }
                return .unlocked(VolumeKey(cipher: cipher, bytes: bytes), protector: protector)
            }
        }
        return tried.isEmpty ? .noKey : .wrongKey(tried: tried)
    }

    /// A key that may open a protector, made only when its turn comes.
    private enum Candidate {
        case ready(SecretBytes)
        case toStretch(SecretBytes, salt: [UInt8])

        func key(_ stop: StopSignal) throws(AgentError) -> SecretBytes {
            switch self {
            case .ready(let key): key
            case .toStretch(let initial, let salt): try KeyStretch.stretch(initial, salt: salt, stop: stop)
            }
        }
    }

    private func candidates(for protector: FVEProtector, _ keys: [GivenKey]) -> [Candidate] {
        if let clear = protector.clearKey { return [.ready(clear)] }
        return keys.filter { $0.protector.isEmpty || $0.protector == protector.guid }.compactMap { key in
            switch (key.secret, protector.kind) {
            case (.recoveryPassword(let initial), .recoveryPassword), (.password(let initial), .password):
                protector.salt.map { .toStretch(initial, salt: $0) }
            case (.startupKey(let key, let guid), .startupKey) where guid == protector.guid: .ready(key)
            default: nil
            }
        }
    }
}

extension FVECipher {
    /// - Parameter plain: the volume key as the metadata holds it.
    fileprivate func key(from plain: SecretBytes) -> SecretBytes? {
        guard self == .cbc128Diffuser, plain.count == 64 else { return plain.count == keyBytes ? plain : nil }
        // 16 bytes for CBC, 16 of nothing, 16 for the diffuser, 16 of nothing.
        return plain.withBytes { bytes in
            SecretBytes(count: 32) { (key) in
                key.copyBytes(from: bytes.prefix(16))
                UnsafeMutableRawBufferPointer(rebasing: key[16...]).copyBytes(from: bytes[32..<48])
            }
        }
    }
}
