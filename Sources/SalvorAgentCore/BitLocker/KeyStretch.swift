internal import COpenSSL
internal import SalvorSystem

/// What makes a key of a password, slowly: 2^20 rounds of SHA-256.
enum KeyStretch {
    static let rounds: UInt64 = 1 << 20

    /// Blocking, for a second or, emulated, for half a minute.
    /// - Parameter initial: SHA-256 of the recovery key, or the double SHA-256 of the password in UTF-16.
    /// - Throws: ``AgentError/Code/cancelled``.
    static func stretch(_ initial: SecretBytes, salt: [UInt8], stop: StopSignal) throws(AgentError) -> SecretBytes {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            throw .cryptography
        }
        defer { EVP_MD_CTX_free(context) }
        // Last digest, first digest, salt, number of the round.
        let state = try SecretBytes(count: 88) { (bytes) throws(AgentError) in
            initial.withBytes { UnsafeMutableRawBufferPointer(rebasing: bytes[32..<64]).copyMemory(from: $0) }
            UnsafeMutableRawBufferPointer(rebasing: bytes[64..<80]).copyBytes(from: salt)
            let digest = bytes.bindMemory(to: UInt8.self).baseAddress
            for round in 0..<rounds {
                bytes.storeBytes(of: round.littleEndian, toByteOffset: 80, as: UInt64.self)
                guard EVP_DigestInit_ex(context, nil, nil) == 1,
                    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1,
                    EVP_DigestFinal_ex(context, digest, nil) == 1
                else { throw .cryptography }
                if round & 0xFFF == 0 { try stop.check() }
            }
        }
        return state.withBytes { bytes in SecretBytes(bytes.prefix(32)) }
    }

    static func digest(of secret: SecretBytes) throws(AgentError) -> SecretBytes {
        try SecretBytes(count: 32) { (bytes) throws(AgentError) in
            let done = secret.withBytes { input in
                EVP_Digest(
                    input.baseAddress, input.count, bytes.bindMemory(to: UInt8.self).baseAddress, nil, EVP_sha256(),
                    nil)
            }
            guard done == 1 else { throw .cryptography }
        }
    }
}

extension AgentError {
    static var cryptography: AgentError {
        AgentError(
            .toolFailed, "OpenSSL on this rescue VM does not do what BitLocker needs (SHA-256, AES-CCM).",
            next: "See whether its policy forbids them.")
    }
}
