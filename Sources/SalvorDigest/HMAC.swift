internal import COpenSSL

/// HMAC with SHA-256 (RFC 2104).
package enum HMAC {
    /// 32 bytes that only a holder of the key can make for the message.
    package static func sha256(of message: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        let made = COpenSSL.HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &code, &length)
        // It fails where memory does, alone.
        precondition(made != nil && length == 32, "OpenSSL gave no HMAC")
        return code
    }

    /// Whether two codes are equal, in a time that does not say where they differ.
    package static func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
    }
}
