internal import COpenSSL
package import SalvorDigest

/// An X.509 certificate.
package struct Certificate: Sendable {
    /// DER, as it was signed.
    package let der: [UInt8]
    let handle: X509Handle

    /// Takes over the caller's reference to `x509`.
    init(owning x509: OpaquePointer) throws(TransportError) {
        handle = X509Handle(owning: x509)
        guard let der = DER.encode({ i2d_X509(x509, $0) }) else { throw .openSSL("encode a certificate") }
        self.der = der
    }

    /// - Throws: ``TransportError/Code/badCertificate`` when `der` is not one certificate and nothing else.
    package init(der: [UInt8]) throws(TransportError) {
        guard let x509 = DER.decode(der, { d2i_X509(nil, $0, $1) }, free: X509_free) else {
            throw TransportError(
                .badCertificate, "\(der.count) bytes are not one X.509 certificate in DER", cause: OpenSSLErrors.drain()
            )
        }
        handle = X509Handle(owning: x509)
        self.der = der
    }

    /// SHA-256 of the DER: how a certificate authority is pinned.
    package var fingerprint: Digest { SHA256.digest(of: der) }

    package var notBefore: WallTime? { Self.wallTime(X509_get0_notBefore(handle.x509)) }
    package var notAfter: WallTime? { Self.wallTime(X509_get0_notAfter(handle.x509)) }

    /// The URIs among the subject's alternative names. A name of another kind counts as an empty one, so that it is not
    /// overlooked.
    package var subjectURIs: [String] {
        guard let names = X509_get_ext_d2i(handle.x509, NID_subject_alt_name, nil, nil) else { return [] }
        let list = OpaquePointer(names)
        defer { GENERAL_NAMES_free(list) }
        return AlternativeNames.uris(in: list)
    }

    var publicKey: OpaquePointer? { X509_get0_pubkey(handle.x509) }

    private static func wallTime(_ time: UnsafePointer<ASN1_TIME>?) -> WallTime? {
        guard let epoch = ASN1_TIME_set(nil, 0) else { return nil }
        defer { ASN1_TIME_free(epoch) }
        var days: Int32 = 0
        var seconds: Int32 = 0
        guard let time, ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return nil }
        return WallTime(secondsSinceEpoch: Int64(days) * 86_400 + Int64(seconds))
    }
}

extension Certificate: Hashable {
    package static func == (left: Certificate, right: Certificate) -> Bool { left.der == right.der }
    package func hash(into hasher: inout Hasher) { hasher.combine(der) }
}

/// Keeps an `X509` alive.
// @unchecked: an X509 is counted atomically, nothing here changes it, and OpenSSL locks its caches of parsed extensions.
final class X509Handle: @unchecked Sendable {
    let x509: OpaquePointer

    init(owning x509: OpaquePointer) { self.x509 = x509 }
    deinit { X509_free(x509) }
}

/// Reading what ``COpenSSL`` calls GENERAL_NAMES.
enum AlternativeNames {
    static func uris(in names: OpaquePointer) -> [String] {
        (0..<salvor_GENERAL_NAMES_count(names)).map { index in
            var length: Int32 = 0
            guard let text = salvor_GENERAL_NAMES_uri(names, index, &length) else { return "" }
            return String(decoding: UnsafeBufferPointer(start: text, count: Int(length)), as: UTF8.self)
        }
    }
}
