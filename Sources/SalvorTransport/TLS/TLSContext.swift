internal import COpenSSL

/// A configuration in the form that OpenSSL takes, made once and shared by all connections.
// @unchecked: an SSL_CTX is counted atomically and locks itself, and nothing here changes it after `init`.
package final class TLSContext: @unchecked Sendable {
    package let configuration: TLSConfiguration
    let context: OpaquePointer

    /// - Throws: ``TransportError/Code/cryptography`` when OpenSSL refuses the identity or the system's policy forbids TLS 1.3.
    package init(_ configuration: TLSConfiguration) throws(TransportError) {
        precondition(configuration.role == .client || configuration.identity != nil, "a TLS server needs a certificate")
        precondition(
            configuration.role == .server || configuration.trust != nil, "a TLS client needs somebody to trust")
        guard let context = SSL_CTX_new(configuration.role == .client ? TLS_client_method() : TLS_server_method())
        else {
            throw .openSSL("make a TLS context")
        }
        self.configuration = configuration
        self.context = context
        try setUp()
    }

    deinit { SSL_CTX_free(context) }

    private func setUp() throws(TransportError) {
        // SPEC.md R-2.
        guard salvor_SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1,
            salvor_SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1
        else { throw .openSSL("limit itself to TLS 1.3") }
        // A resumed session would skip the look at the peer's certificate; these links are few and long.
        SSL_CTX_set_num_tickets(context, 0)
        _ = salvor_SSL_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
        // An idle connection holds no 34 KB of record buffers.
        _ = salvor_SSL_CTX_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS))
        // What a stranger may make us hold before it is refused.
        _ = salvor_SSL_CTX_set_max_cert_list(context, 16 * 1024)
        // The system's configuration may have it otherwise: then a connection could be cut short unnoticed.
        salvor_SSL_CTX_report_unexpected_eof(context)

        if let identity = configuration.identity { try use(identity) }
        if configuration.trust != nil {
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
            SSL_CTX_set_cert_verify_callback(context, verifyPeerCertificate, nil)
        }
        if !configuration.applicationProtocols.isEmpty {
            switch configuration.role {
            case .client: try offerProtocols()
            case .server: SSL_CTX_set_alpn_select_cb(context, selectProtocol, nil)
            }
        }
    }

    private func use(_ identity: LocalIdentity) throws(TransportError) {
        guard let own = identity.chain.first, SSL_CTX_use_certificate(context, own.handle.x509) == 1,
            SSL_CTX_use_PrivateKey(context, identity.key.pkey) == 1, SSL_CTX_check_private_key(context) == 1
        else { throw .openSSL("use this side's certificate and key") }
        for certificate in identity.chain.dropFirst() {
            guard salvor_SSL_CTX_add1_chain_cert(context, certificate.handle.x509) == 1 else {
                throw .openSSL("use this side's certificate chain")
            }
        }
    }

    private func offerProtocols() throws(TransportError) {
        var list: [UInt8] = []
        for entry in configuration.applicationProtocols {
            precondition((1...255).contains(entry.name.utf8.count), "an ALPN name has 1 to 255 bytes")
            list.append(UInt8(entry.name.utf8.count))
            list += entry.name.utf8
        }
        // Alone among these functions, it returns 0 for success.
        guard SSL_CTX_set_alpn_protos(context, list, UInt32(list.count)) == 0 else {
            throw .openSSL("offer ALPN names")
        }
    }

    func requiresPeerCertificate(for name: String?) -> Bool {
        guard let name else { return false }
        return configuration.applicationProtocols.contains { $0.name == name && $0.requiresPeerCertificate }
    }
}

/// Picks, of what the client offers, what this server prefers; then asks for the certificate that goes with it. OpenSSL
/// calls this while it reads the ClientHello, before it decides whether to request one.
private func selectProtocol(
    ssl: OpaquePointer?, out: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, outLength: UnsafeMutablePointer<UInt8>?,
    offered: UnsafePointer<UInt8>?, offeredLength: UInt32, argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let ssl, let offered, let session = TLSSession.of(ssl) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    let list = UnsafeBufferPointer(start: offered, count: Int(offeredLength))
    for entry in session.context.configuration.applicationProtocols {
        var position = 0
        while position < list.count {
            let length = Int(list[position])
            let range = position + 1..<position + 1 + length
            guard range.upperBound <= list.count else { return SSL_TLSEXT_ERR_ALERT_FATAL }
            if list[range].elementsEqual(entry.name.utf8) {
                out?.pointee = offered + range.lowerBound
                outLength?.pointee = UInt8(length)
                if entry.requiresPeerCertificate {
                    SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
                }
                return SSL_TLSEXT_ERR_OK
            }
            position = range.upperBound
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
