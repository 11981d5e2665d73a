"""What a host shows, and the proof that it is its own (RFC 8446, sections 4.3.2, 4.4.2 and 4.4.3)."""

import os

from tlslite.constants import ExtensionType, HandshakeType, SignatureScheme

import identities
from hello import message, vector
from identities import Authority
from listener import ListenerCase, each

P_256, P_384, P_521 = (
    getattr(SignatureScheme, name) for name in (
        "ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512"))
ED25519, ED448 = SignatureScheme.ed25519, SignatureScheme.ed448
FAILED = "handshake failed"


class CertificateCase(ListenerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stranger = Authority.make(cls.listener.folder).identity()
        # With keys of all kinds. The coordinator signs none but P-256 (SPEC.md, N-6); what TLS makes of the others has to
        # be right before that matters.
        cls.made = {}

    def identity(self, key, scheme):
        if scheme not in self.made:
            self.made[scheme] = self.listener.authority.identity(key, scheme)
        return self.made[scheme]

    def asked(self, identity="host", **more):
        """A peer that has been asked for its certificate."""
        peer = self.peer(identity, **more)
        peer.until_flight()
        return peer

    def refuses_flight(self, peer, code, alert, *messages):
        """`messages`, or what makes them, in place of Certificate and CertificateVerify; then a Finished that fits them."""
        for one in messages:
            peer.say(one() if callable(one) else one)
        peer.say_finished()
        self.refuses(peer, code, alert)


class Request(CertificateCase):
    """tlsfuzzer: certificate-request; signature-algorithms, as the listener has them."""

    @each(("salvor/1", ["salvor/1"]), ("enrolment", ["salvor-enrol/1"]))
    def asks(self, names):
        peer = self.asked(names=names)
        self.assertEqual(bytes(peer.request.certificate_request_context), b"")
        kinds = [extension.extType for extension in peer.request.extensions]
        self.assertEqual(len(kinds), len(set(kinds)))
        self.assertEqual(set(kinds), {ExtensionType.signature_algorithms})
        algorithms = peer.request.supported_signature_algs
        self.assertEqual(algorithms[0], P_256)
        # Nothing by SHA-1, MD5 or DSA, not even for certificates.
        self.assertFalse([scheme for scheme in algorithms if scheme[0] in (1, 2) or scheme[1] == 2 and scheme[0] < 7])
        peer.say_certificates()
        peer.say_finished()
        self.has_taken(peer)

    def test_offer_to_authenticate_later_changes_nothing(self):
        """tlsfuzzer: post-handshake-auth. The listener asks in the handshake, and never again."""
        peer = self.peer()
        peer.handshake(peer.hello.with_extension(ExtensionType.post_handshake_auth, b""))
        self.has_taken(peer)

    @each(("Certificate", lambda peer: [peer.certificate()]),
          ("Certificate and CertificateVerify", lambda peer: [peer.certificate(), peer.certificate_verify()]),
          ("a second Finished", lambda peer: [peer.finished()]),
          ("ClientHello", lambda peer: [peer.hello.write()]))
    def refuses_later(self, messages):
        """Unasked, after the handshake (section 4.6.2)."""
        peer = self.peer()
        peer.handshake(peer.hello.with_extension(ExtensionType.post_handshake_auth, b""))
        self.opens(peer)
        peer.say(*messages(peer))
        self.breaks_off(peer, "protocol violation", "unexpected_message")

    def test_offer_of_compressed_certificates_changes_nothing(self):
        """tlsfuzzer: certificate-compression. OpenSSL 3.0 has none; a compressed Certificate would not parse here."""
        peer = self.peer()
        self.takes(peer, peer.hello.with_extension(27, vector(b"\0\1\0\2\0\3", 1)))

    def test_compressed_certificate(self):
        """tlsfuzzer: client-certificate-compression. Nobody has asked for it."""
        peer = self.asked()
        body = peer.certificate()[4:]
        self.refuses_flight(
            peer, FAILED, "unexpected_message",
            message(25, b"\0\1" + len(body).to_bytes(3, "big") + vector(body, 3)), peer.certificate_verify)


class Enrolment(CertificateCase):
    """Protocol/SPEC.md, N-1: the one protocol that asks for a certificate and takes none for an answer."""

    def test_no_certificate(self):
        self.takes(self.peer(None, names=["salvor-enrol/1"]), who="enrolment")

    def test_one_that_is_shown_is_looked_at(self):
        self.takes(self.peer(names=["salvor-enrol/1"]))
        peer = self.asked(self.stranger, names=["salvor-enrol/1"])
        peer.say_certificates()
        peer.say_finished()
        self.refuses(peer, "wrong certificate authority", "unknown_ca")

    def test_certificate_verify_without_a_certificate(self):
        peer = self.asked(names=["salvor-enrol/1"])
        peer.say(peer.certificate(chain=()))
        self.refuses_flight(peer, FAILED, "unexpected_message", peer.certificate_verify)

    def test_certificate_without_certificate_verify(self):
        peer = self.asked(names=["salvor-enrol/1"])
        self.refuses_flight(peer, FAILED, "unexpected_message", peer.certificate())

    def test_no_certificate_where_both_protocols_are_offered(self):
        """The listener chooses salvor/1, which needs one (N-4)."""
        peer = self.asked(None, names=["salvor-enrol/1", "salvor/1"])
        peer.say_certificates()
        self.refuses(peer, "no certificate", "certificate_required")


class Certificates(CertificateCase):
    """tlsfuzzer: certificate-verify, and the malformed ones of its certificate-malformed, which is of 1.2."""

    def test_none(self):
        """Section 4.4.2.4."""
        peer = self.asked(None)
        peer.say_certificates()
        self.refuses(peer, "no certificate", "certificate_required")

    @each(
        ("without the authority", lambda own, authority: (own,)),
        ("with another certificate behind", lambda own, authority: (own, authority, authority)),
        ("twice", lambda own, authority: (own, own, authority)))
    def takes_chain(self, change):
        self.takes(self.peer(self.host.showing(*change(*self.host.chain))))

    @each(
        ("by a stranger's authority of the same name", "wrong certificate authority", "unknown_ca",
         lambda case: case.stranger),
        ("the same, with the run's authority behind", "wrong certificate authority", "unknown_ca",
         lambda case: case.stranger.showing(*case.stranger.chain, case.host.chain[1])),
        ("a coordinator's", "wrong name", "bad_certificate",
         lambda case: case.listener.authority.identity(uri="salvor://run-1/coordinator")),
        ("of another run", "wrong run", "bad_certificate",
         lambda case: case.listener.authority.identity(uri="salvor://run-2/host/rescue-1")),
        ("of no name of ours", "wrong name", "bad_certificate",
         lambda case: case.listener.authority.identity(uri="https://run-1/host/rescue-1")),
        ("the authority's own", "bad certificate", "unsupported_certificate",
         lambda case: case.host.showing(case.host.chain[1])))
    def refuses_identity(self, code, alert, identity):
        peer = self.asked(identity(self))
        peer.say_certificates()
        peer.say_finished()
        self.refuses(peer, code, alert)

    @each(
        ("bytes that are no certificate", lambda own: os.urandom(len(own)), "decode_error"),
        ("a certificate without its last byte", lambda own: own[:-1], "decode_error"),
        ("with a byte behind it", lambda own: own + b"\0", "decode_error"),
        ("of no bytes", lambda own: b"", "decode_error"),
        ("with a signature that is not good", lambda own: own[:-1] + bytes([own[-1] ^ 1]), "decrypt_error"))
    def refuses_certificate(self, change, alert):
        peer = self.asked()
        own, authority = self.host.chain
        code = "wrong certificate authority" if alert == "decrypt_error" else FAILED
        self.refuses_flight(
            peer, code, alert, peer.certificate(chain=(change(own), authority)), peer.certificate_verify)

    @each(
        # Section 4.4.2 wants it empty, and has no alert for it.
        ("a context that was not given", lambda body: vector(b"context", 1) + body[1:], "decode_error"),
        ("no body", lambda body: b"", "decode_error"),
        ("half its body", lambda body: body[:len(body) // 2], "decode_error"),
        ("a byte less", lambda body: body[:-1], "decode_error"),
        ("a byte more", lambda body: body + b"\0", "decode_error"),
        ("a list that claims a byte more", lambda body: changed(body, 3, 1), "decode_error"),
        ("one that claims a byte less", lambda body: changed(body, 3, -1), "decode_error"),
        ("a certificate that claims a byte more", lambda body: changed(body, 6, 1), "decode_error"),
        ("a context that claims more than there is", lambda body: b"\xff" + body[1:], "decode_error"))
    def refuses_body(self, change, alert):
        peer = self.asked()
        self.refuses_flight(
            peer, FAILED, alert, message(HandshakeType.certificate, change(peer.certificate()[4:])),
            peer.certificate_verify)

    # What was not asked for (section 4.2): OpenSSL looks at those that it knows.
    @each(
        ("an OCSP answer", ExtensionType.status_request, b"\1\0\0\1\0", "unsupported_extension"),
        ("an extension that has no place there", ExtensionType.key_share, b"", "illegal_parameter"),
        ("an extension that nobody knows", 12_000, b"?", None), ("timestamps", 18, b"\0\0", None),
        ("an extension that ends early", None, b"\0\5\0\5\0", "decode_error"))
    def of_extension(self, kind, body, alert):
        peer = self.asked()
        more = body if kind is None else kind.to_bytes(2, "big") + vector(body, 2)
        certificate = message(
            HandshakeType.certificate, b"\0" + vector(vector(self.host.chain[0], 3) + vector(more, 2), 3))
        if alert:
            self.refuses_flight(peer, FAILED, alert, certificate, peer.certificate_verify)
        else:
            peer.say(certificate)
            peer.say(peer.certificate_verify())
            peer.say_finished()
            self.has_taken(peer)

    def test_more_than_a_host_has(self):
        """The listener takes 16 KiB of certificates from a stranger, and learns the length from the first four bytes."""
        peer = self.asked()
        peer.say(peer.certificate(chain=self.host.chain + (bytes(16_384),)))
        self.refuses(peer, FAILED, "illegal_parameter")

    @each(*((f"an announced length of {length:,}", length) for length in (20_000, (1 << 24) - 1)))
    def refuses_length(self, length):
        peer = self.asked()
        peer.say(bytes([HandshakeType.certificate]) + length.to_bytes(3, "big"))
        self.refuses(peer, FAILED, "illegal_parameter")

    # Section 4.4: in this order, each of them once.
    @each(
        ("Finished at once", lambda peer: []), ("no CertificateVerify", lambda peer: [peer.certificate]),
        ("Certificate twice", lambda peer: [peer.certificate, peer.certificate]),
        ("CertificateVerify alone", lambda peer: [peer.certificate_verify]),
        ("CertificateVerify before Certificate", lambda peer: [peer.certificate_verify, peer.certificate]),
        ("ClientHello before them", lambda peer: [peer.hello.write()]),
        ("EndOfEarlyData before them", lambda peer: [message(HandshakeType.end_of_early_data, b"")]),
        ("KeyUpdate before them", lambda peer: [message(HandshakeType.key_update, b"\0")]),
        ("NewSessionTicket before them", lambda peer: [message(HandshakeType.new_session_ticket, bytes(20))]),
        ("a message of an unknown type before them", lambda peer: [message(99, b"?")]),
        ("a message of 1.2 before them", lambda peer: [message(HandshakeType.client_key_exchange, bytes(33))]))
    def refuses_order(self, messages):
        peer = self.asked()
        self.refuses_flight(peer, FAILED, "unexpected_message", *messages(peer))

    def test_certificate_verify_twice(self):
        peer = self.asked()
        peer.say_certificates()
        self.refuses_flight(peer, FAILED, "unexpected_message", peer.certificate_verify)


def changed(body, end, by):
    """A length of three bytes, that many bytes behind the context's, made another."""
    start = 1 + end - 3
    return body[:start] + (int.from_bytes(body[start:start + 3], "big") + by).to_bytes(3, "big") + body[start + 3:]


class Verify(CertificateCase):
    """tlsfuzzer: certificate-verify, ecdsa-in-certificate-verify."""

    def refuses_verify(self, alert, make, identity="host"):
        """`make` gives the CertificateVerify."""
        peer = self.asked(identity)
        peer.say(peer.certificate())
        self.refuses_flight(peer, FAILED, alert, make(peer))

    @each(*((f"a signature with bit {bit} of byte {place} changed", place, bit) for place, bit in (
        (0, 0), (1, 3), (3, 0), (4, 0), (10, 7), (20, 2), (40, 4), (50, 1), (-1, 0), (-1, 7))))
    def refuses_changed(self, place, bit):
        def make(peer):
            signature = bytearray(self.host.sign(peer.signed_content()))
            signature[place] ^= 1 << bit
            return peer.certificate_verify(signature=signature)
        self.refuses_verify("decrypt_error", make)

    @each(
        ("of no bytes", lambda good: b""), ("of one byte", lambda good: b"\x30"),
        ("cut in half", lambda good: good[:36]),
        ("with a byte behind it", lambda good: good + b"\0"), ("of zeros", lambda good: bytes(len(good))),
        ("of two zeros", lambda good: bytes.fromhex("3006020100020100")),
        ("of r = s = the curve's order", lambda good: bytes.fromhex("3046") + 2 * (
            b"\x02\x21\0" + bytes.fromhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"))),
        ("of negative numbers", lambda good: bytes.fromhex("30060201ff0201ff")),
        ("with a length that is not DER's shortest", lambda good: b"\x30\x81" + good[1:]),
        ("of 16 KiB", lambda good: good + bytes(16_000)))
    def refuses_signature(self, change):
        self.refuses_verify("decrypt_error", lambda peer: peer.certificate_verify(
            signature=change(self.host.sign(peer.signed_content()))))

    @each(
        ("of the handshake before Certificate", lambda peer: peer.signed_content(
            peer.transcript[:-len(peer.certificate())])),
        ("of a handshake with a byte more", lambda peer: peer.signed_content(peer.transcript + b"\0")),
        ("that is the server's kind", lambda peer: peer.signed_content(role=b"server")),
        ("without the spaces in front", lambda peer: peer.signed_content()[64:]),
        ("of the transcript's hash alone", lambda peer: peer.signed_content()[-32:]),
        ("of nothing", lambda peer: b""))
    def refuses_content(self, content):
        """Section 4.4.3."""
        self.refuses_verify("decrypt_error", lambda peer: peer.certificate_verify(
            signature=self.host.sign(content(peer))))

    def test_by_another_key(self):
        """The certificates of a host, copied by somebody who has not its key."""
        self.refuses_verify("decrypt_error", lambda peer: peer.certificate_verify(
            signature=self.stranger.sign(peer.signed_content())))

    def test_from_an_earlier_connection(self):
        first = self.asked()
        first.say(first.certificate())
        copied = first.certificate_verify()
        first.close()
        self.assertEqual(self.listener.hears(first.address)[0], "refused")
        self.refuses_verify("decrypt_error", lambda peer: copied)

    # Section 4.4.3: of those that CertificateRequest lists, and of the key's kind.
    @each(*((f"by {name}", scheme) for name, scheme in (
        ("ECDSA with P-384", P_384), ("ECDSA with P-521", P_521), ("ECDSA with SHA-1", (2, 3)),
        ("ECDSA with SHA-224", (3, 3)), ("Ed25519", ED25519), ("Ed448", ED448), ("RSA-PSS", (8, 4)),
        ("RSA PKCS #1", (4, 1)), ("RSA PKCS #1 with SHA-1", (2, 1)), ("DSA", (4, 2)), ("brainpoolP256r1", (8, 0x1A)),
        ("ML-DSA-65", (9, 5)), ("nothing", (0, 0)), ("a scheme that nobody knows", (0xFE, 1)))))
    def refuses_scheme(self, scheme):
        self.refuses_verify("illegal_parameter", lambda peer: peer.certificate_verify(
            scheme, self.host.sign(peer.signed_content())))

    @each(
        ("no body", lambda body: b""), ("a scheme alone", lambda body: body[:2]),
        ("half a scheme", lambda body: body[:1]),
        ("a byte less", lambda body: body[:-1]), ("a byte more", lambda body: body + b"\0"),
        ("a signature that claims a byte more", lambda body: body[:3] + bytes([body[3] + 1]) + body[4:]),
        ("a signature without a length", lambda body: body[:2] + body[4:]))
    def refuses_body(self, change):
        self.refuses_verify("decode_error", lambda peer: message(
            HandshakeType.certificate_verify, change(peer.certificate_verify()[4:])))


class Keys(CertificateCase):
    """tlsfuzzer: eddsa-in-certificate-verify, ecdsa-in-certificate-verify, ecdsa-brainpool-in-certificate-verify,
    mldsa-in-certificate-verify, pkcs-signature, rsa-signatures and rsapss-signatures, as far as they are about a
    client's key. The run's authority signs them here; a coordinator does not (N-6)."""

    KINDS = {
        "P-384": (identities.P_384, P_384), "P-521": (identities.P_521, P_521),
        "Ed25519": (identities.ED25519, ED25519), "Ed448": (identities.ED448, ED448), "RSA": (identities.RSA, SignatureScheme.rsa_pss_rsae_sha256),
        "RSA-PSS": (identities.RSA_PSS, SignatureScheme.rsa_pss_pss_sha256)}

    @each(*((f"{name}, a good signature", name) for name in KINDS))
    def takes_key(self, name):
        self.takes(self.peer(self.identity(*self.KINDS[name])))

    @each(*((f"{name}, a signature {what}", name, change) for name in KINDS for what, change in (
        ("with its first byte changed", lambda good: bytes([good[0] ^ 1]) + good[1:]),
        ("with its last byte changed", lambda good: good[:-1] + bytes([good[-1] ^ 1])),
        ("without its last byte", lambda good: good[:-1]), ("with a byte behind it", lambda good: good + b"\0"),
        ("of no bytes", lambda good: b""), ("of zeros", lambda good: bytes(len(good))),
        ("of ones", lambda good: b"\xff" * len(good)))))
    def refuses_signature(self, name, change):
        identity = self.identity(*self.KINDS[name])
        peer = self.asked(identity)
        peer.say(peer.certificate())
        signature = change(identity.sign(peer.signed_content()))
        self.refuses_flight(peer, FAILED, "decrypt_error", peer.certificate_verify(signature=signature))

    @each(*((f"{name} by {other}", name, scheme) for name, other, scheme in (
        ("RSA", "PKCS #1", SignatureScheme.rsa_pkcs1_sha256),
        ("RSA", "PKCS #1 with SHA-1", SignatureScheme.rsa_pkcs1_sha1),
        ("RSA", "PKCS #1 with SHA-512", SignatureScheme.rsa_pkcs1_sha512),
        ("RSA", "the scheme of RSA-PSS keys", SignatureScheme.rsa_pss_pss_sha256),
        ("RSA-PSS", "the scheme of RSA keys", SignatureScheme.rsa_pss_rsae_sha256),
        ("P-384", "the scheme of P-256", P_256), ("Ed25519", "the scheme of Ed448", ED448))))
    def refuses_scheme(self, name, scheme):
        """Section 4.2.3: PKCS #1 is for certificates alone, and each other scheme for one kind of key."""
        identity = self.identity(*self.KINDS[name])
        peer = self.asked(identity)
        peer.say(peer.certificate())
        signature = identity.sign(peer.signed_content(), scheme if name.startswith("RSA") else None)
        self.refuses_flight(
            peer, FAILED, "illegal_parameter", peer.certificate_verify(scheme, signature))

    def test_brainpool(self):
        identity = self.identity(identities.BRAINPOOL, SignatureScheme.ecdsa_brainpoolP256r1tls13_sha256)
        peer = self.asked(identity)
        peer.say(peer.certificate())
        self.refuses_flight(peer, FAILED, "illegal_parameter", peer.certificate_verify(signature=bytes(70)))
