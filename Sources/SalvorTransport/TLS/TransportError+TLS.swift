internal import COpenSSL

extension TransportError {
    /// What OpenSSL's errors mean for a connection.
    /// - Parameter isTLS: the peer has said something in TLS that was understood.
    init(tls errors: OpenSSLErrors, isTLS: Bool, isEstablished: Bool) {
        if let alert = errors.alert {
            self = .refused(alert: alert, errors)
            return
        }
        for reason in errors.sslReasons {
            switch reason {
            case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST,
                _ where !isTLS && Self.notTLSReasons.contains(reason):
                self.init(.notTLS, "what the peer sends is not TLS; the connection was refused", cause: errors)
            case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW:
                self.init(.tlsVersion, "the peer does not offer TLS 1.3; it was refused", cause: errors)
            case SSL_R_NO_APPLICATION_PROTOCOL:
                self.init(
                    .noCommonProtocol, "the peer offers no protocol that is spoken here; it was refused", cause: errors)
            case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
                self.init(.noCertificate, "the peer shows no certificate; it was refused", cause: errors)
            case SSL_R_UNEXPECTED_EOF_WHILE_READING where isEstablished:
                self.init(
                    .truncated,
                    "the connection ended in the middle: the peer died, or somebody cut it; what arrived last may be incomplete",
                    cause: errors)
            case SSL_R_UNEXPECTED_EOF_WHILE_READING:
                self.init(.handshakeFailed, "the peer closed the connection during the handshake", cause: errors)
            default: continue
            }
            return
        }
        if isEstablished {
            self.init(.protocolViolation, "the peer breaks TLS; the connection was given up", cause: errors)
        } else {
            self.init(.handshakeFailed, "the TLS handshake failed", cause: errors)
        }
    }

    /// What OpenSSL makes of a first record that is none; later it has other uses for some of them.
    private static let notTLSReasons = [
        SSL_R_WRONG_VERSION_NUMBER, SSL_R_PACKET_LENGTH_TOO_LONG, SSL_R_BAD_RECORD_TYPE, SSL_R_RECORD_LENGTH_MISMATCH,
    ]

    private static func refused(alert: UInt8, _ errors: OpenSSLErrors) -> TransportError {
        let name = SSL_alert_desc_string_long(Int32(alert)).map { String(cString: $0) } ?? "?"
        switch Int32(alert) {
        case SSL_AD_PROTOCOL_VERSION:
            return TransportError(.tlsVersion, "the peer does not speak TLS 1.3", cause: errors)
        case SSL_AD_NO_APPLICATION_PROTOCOL:
            return TransportError(
                .noCommonProtocol, "the peer speaks none of the protocols that this side offers", cause: errors)
        case SSL_AD_CERTIFICATE_EXPIRED:
            return TransportError(
                .refusedByPeer,
                "the peer says that this side's certificate has expired: enrol again, and look at both clocks",
                cause: errors)
        case SSL_AD_UNKNOWN_CA:
            return TransportError(
                .refusedByPeer,
                "the peer does not trust the authority of this side's certificate: it belongs to another run",
                cause: errors)
        case SSL_AD_CERTIFICATE_REQUIRED:
            return TransportError(.refusedByPeer, "the peer demands a certificate: enrol first", cause: errors)
        default:
            return TransportError(
                .refusedByPeer, "the peer refused the connection (TLS alert \(alert): \(name))", cause: errors)
        }
    }
}
