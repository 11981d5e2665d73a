internal import COpenSSL

/// Text encoding of keys and certificates.
enum PEM {
    /// The key in clear, then the certificates: callers keep it in a file that only they can read.
    static func encode(key: KeyPair? = nil, certificates: [Certificate]) throws(TransportError) -> [UInt8] {
        guard let bio = BIO_new(BIO_s_mem()) else { throw .openSSL("encode a key") }
        defer { BIO_free(bio) }
        if let key {
            guard PEM_write_bio_PKCS8PrivateKey(bio, key.pkey, nil, nil, 0, nil, nil) == 1 else {
                throw .openSSL("encode a key")
            }
        }
        for certificate in certificates {
            guard PEM_write_bio_X509(bio, certificate.handle.x509) == 1 else { throw .openSSL("encode a certificate") }
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = BIO_read(bio, &chunk, Int32(chunk.count))
            if count <= 0 { return bytes }
            bytes += chunk[..<Int(count)]
        }
    }

    static func decodeKey(_ pem: [UInt8]) -> KeyPair? {
        withBIO(over: pem) { bio in
            // No password is asked for: a key that needs one is refused instead of prompting on the terminal.
            PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in -1 }, nil).map(KeyPair.init(owning:))
        }
    }

    /// All certificates in `pem`, in its order.
    static func decodeCertificates(_ pem: [UInt8]) throws(TransportError) -> [Certificate] {
        var found: [OpaquePointer] = []
        withBIO(over: pem) { bio in
            while let x509 = PEM_read_bio_X509(bio, nil, nil, nil) { found.append(x509) }
        }
        // The end of the text is reported as an error.
        ERR_clear_error()
        var certificates: [Certificate] = []
        for x509 in found { certificates.append(try Certificate(owning: x509)) }
        return certificates
    }

    private static func withBIO<Result>(over bytes: [UInt8], _ body: (OpaquePointer?) -> Result) -> Result {
        bytes.withUnsafeBytes { buffer in
            let bio = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count))
            defer { BIO_free(bio) }
            return body(bio)
        }
    }
}

extension LocalIdentity {
    /// Reads one private key and its certificates, the end's own first.
    /// - Throws: ``TransportError/Code/keyStore`` when either is missing or they do not belong together.
    package init(pem: [UInt8]) throws(TransportError) {
        let chain = try PEM.decodeCertificates(pem)
        guard let key = PEM.decodeKey(pem), let own = chain.first,
            X509_check_private_key(own.handle.x509, key.pkey) == 1
        else {
            throw TransportError(
                .keyStore, "the PEM does not hold a private key and, first among its certificates, the key's own",
                cause: OpenSSLErrors.drain())
        }
        self.init(chain: chain, key: key)
    }
}
