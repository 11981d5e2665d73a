internal import COpenSSL
internal import SalvorDigest

/// Called by OpenSSL in place of its own verification, with everything that the peer has shown.
/// - Returns: 1 to go on; 0 after setting the error that OpenSSL turns into an alert.
func verifyPeerCertificate(store: OpaquePointer?, argument: UnsafeMutableRawPointer?) -> Int32 {
    guard let store, let ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
        let session = TLSSession.of(OpaquePointer(ssl))
    else { return 0 }
    do throws(PeerVerification.Refusal) {
        session.peerCertificate = try PeerVerification(store: store, configuration: session.context.configuration)
            .verify()
        return 1
    } catch {
        session.verificationFailure = error.error
        X509_STORE_CTX_set_error(store, error.x509Error)
        return 0
    }
}

/// The judgement of one peer's certificate chain.
struct PeerVerification {
    /// Why not, for us; and as the OpenSSL code that becomes an alert, for the peer.
    struct Refusal: Error {
        let x509Error: Int32
        let error: TransportError
    }

    let store: OpaquePointer
    let configuration: TLSConfiguration

    /// - Returns: the peer's own certificate.
    func verify() throws(Refusal) -> Certificate {
        guard let leaf = X509_STORE_CTX_get0_cert(store) else {
            throw Refusal(
                x509Error: X509_V_ERR_UNSPECIFIED,
                error: TransportError(.noCertificate, "the peer shows no certificate"))
        }
        let certificate = try own(leaf)
        let anchors = try trustAnchors()
        for verified in try verifyChain(from: anchors) { try checkValidity(of: verified) }
        if let check = configuration.checkPeer {
            do throws(TransportError) {
                try check(certificate)
            } catch {
                throw Refusal(x509Error: X509_V_ERR_CERT_REJECTED, error: error)
            }
        }
        return certificate
    }

    private func trustAnchors() throws(Refusal) -> [Certificate] {
        switch configuration.trust {
        case .authorities(let authorities): return authorities
        case .authority(let fingerprint):
            let sent = X509_STORE_CTX_get0_untrusted(store)
            for index in 0..<max(0, salvor_sk_X509_num(sent)) {
                guard let x509 = salvor_sk_X509_value(sent, index) else { continue }
                let certificate = try own(x509)
                if certificate.fingerprint == fingerprint { return [certificate] }
            }
            throw Refusal(
                x509Error: X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
                error: TransportError(
                    .wrongCertificateAuthority,
                    "the peer shows no certificate authority with SHA-256 \(fingerprint), the only one trusted here; "
                        + "the connection was refused. Is it the peer of another run?"))
        case nil:
            throw Refusal(
                x509Error: X509_V_ERR_UNSPECIFIED,
                error: TransportError(.badCertificate, "the peer shows a certificate, but nobody is trusted here"))
        }
    }

    /// - Returns: the certificates from the peer's own to the anchor.
    private func verifyChain(from anchors: [Certificate]) throws(Refusal) -> [Certificate] {
        // Times are looked at below, against our own clock and tolerance.
        X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(store), UInt(X509_V_FLAG_NO_CHECK_TIME))
        let stack = salvor_sk_X509_new_null()
        // The stack holds no references of its own: `anchors` outlives it.
        defer { salvor_sk_X509_free(stack) }
        for anchor in anchors {
            guard salvor_sk_X509_push(stack, anchor.handle.x509) > 0 else {
                throw Refusal(x509Error: X509_V_ERR_OUT_OF_MEM, error: .openSSL("hold the trusted certificates"))
            }
        }
        X509_STORE_CTX_set0_trusted_stack(store, stack)
        let isVerified = withExtendedLifetime(anchors) { X509_verify_cert(store) == 1 }
        // The context lives on for a moment, but must not look into the stack that is freed here.
        X509_STORE_CTX_set0_trusted_stack(store, nil)
        guard isVerified else { throw refusal(of: X509_STORE_CTX_get_error(store)) }
        let chain = X509_STORE_CTX_get0_chain(store)
        var verified: [Certificate] = []
        for index in 0..<max(0, salvor_sk_X509_num(chain)) {
            if let x509 = salvor_sk_X509_value(chain, index) { verified.append(try own(x509)) }
        }
        return verified
    }

    private func refusal(of code: Int32) -> Refusal {
        let reason = String(cString: X509_verify_cert_error_string(Int(code)))
        let isForeign = [
            X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_SIGNATURE_FAILURE,
        ].contains(code)
        return Refusal(
            x509Error: code,
            error: TransportError(
                isForeign ? .wrongCertificateAuthority : .badCertificate,
                "the peer's certificate is not by an authority that is trusted here, or not fit for its use: \(reason); "
                    + "the connection was refused"))
    }

    private func checkValidity(of certificate: Certificate) throws(Refusal) {
        guard case .checked(let tolerance) = configuration.validity else { return }
        guard let notBefore = certificate.notBefore, let notAfter = certificate.notAfter else {
            throw Refusal(
                x509Error: X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD,
                error: TransportError(.badCertificate, "the peer's certificate does not say when it is valid"))
        }
        let now = configuration.now()
        if now + tolerance < notBefore {
            throw Refusal(
                x509Error: X509_V_ERR_CERT_NOT_YET_VALID,
                error: TransportError(
                    .certificateNotYetValid,
                    "the peer's certificate is valid from \(notBefore) on, and it is \(now); the connection was refused. "
                        + "Are the clocks right?"))
        }
        if notAfter < now - tolerance {
            throw Refusal(
                x509Error: X509_V_ERR_CERT_HAS_EXPIRED,
                error: TransportError(
                    .certificateExpired,
                    "the peer's certificate was valid until \(notAfter), and it is \(now); the connection was refused. "
                        + "The host has to enrol again"))
        }
    }

    private func own(_ x509: OpaquePointer) throws(Refusal) -> Certificate {
        X509_up_ref(x509)
        do throws(TransportError) {
            return try Certificate(owning: x509)
        } catch {
            throw Refusal(x509Error: X509_V_ERR_UNSPECIFIED, error: error)
        }
    }
}
