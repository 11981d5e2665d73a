internal import COpenSSL

/// A private key and its public half. It never leaves the process, except into the run's own folder: see
/// ``CertificateAuthority``.
// @unchecked: an EVP_PKEY is counted atomically, and nothing here changes it after it is made.
package final class KeyPair: @unchecked Sendable {
    let pkey: OpaquePointer

    init(owning pkey: OpaquePointer) { self.pkey = pkey }
    deinit { EVP_PKEY_free(pkey) }

    /// A new key on P-256, the curve that every FIPS provider has.
    package static func generate() throws(TransportError) -> KeyPair {
        guard let pkey = salvor_EVP_EC_gen("P-256") else { throw .openSSL("make a key on P-256") }
        return KeyPair(owning: pkey)
    }

    /// DER of the SubjectPublicKeyInfo.
    package var publicKey: [UInt8] { DER.encode { i2d_PUBKEY(pkey, $0) } ?? [] }
}

/// A key pair with the certificates that vouch for it: what one side of a connection shows.
package struct LocalIdentity: Sendable {
    /// The end's own certificate first, the authority last. The authority is sent along, so that a peer that knows its
    /// fingerprint alone can verify the chain.
    package var chain: [Certificate]
    package var key: KeyPair

    package init(chain: [Certificate], key: KeyPair) {
        self.chain = chain
        self.key = key
    }
}
