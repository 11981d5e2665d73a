internal import COpenSSL

/// SHA-256 of bytes that arrive in pieces, by the system's OpenSSL.
package struct SHA256: ~Copyable {
    private let context: OpaquePointer

    package init() {
        // Both fail only when OpenSSL has no memory or the system's policy forbids SHA-256: there is no way on then.
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("OpenSSL offers no SHA-256 on this system")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        EVP_DigestUpdate(context, base, bytes.count)
    }

    package mutating func update(_ bytes: some Collection<UInt8>) {
        if bytes.withContiguousStorageIfAvailable({ update(UnsafeRawBufferPointer($0)) }) == nil {
            Array(bytes).withUnsafeBytes { update($0) }
        }
    }

    package consuming func finalize() -> Digest {
        var bytes = [UInt8](repeating: 0, count: Digest.byteCount)
        EVP_DigestFinal_ex(context, &bytes, nil)
        guard let digest = Digest(bytes: bytes) else { preconditionFailure("a digest of another length") }
        return digest
    }

    package static func digest(of bytes: some Collection<UInt8>) -> Digest {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finalize()
    }
}
