"""What a ClientHello may have in it, and what must not get past it."""

import random
import secrets

from tlslite.constants import ExtensionType

from hello import CLIENT_HELLO, groups, message, numbers, protocols, signatures, vector, versions
from keys import TLS_1_3
from listener import ListenerCase, each
from records import HANDSHAKE, LARGEST, plain

RENEGOTIATION, FALLBACK = 0x00FF, 0x5600


class Versions(ListenerCase):
    """tlsfuzzer: version-negotiation, legacy-version, non-support."""

    @each(
        ("1.3 before 1.2", [TLS_1_3, 0x0303]),
        ("1.3 after 1.2 and 1.1", [0x0303, 0x0302, TLS_1_3]),
        ("1.3 among versions that nobody knows", [0x0A0A, 0x7F1C, 0x0305, TLS_1_3, 0xFAFA]),
        ("1.3 last of as many as there can be", [0x0A0A] * 126 + [TLS_1_3]))
    def takes_listed(self, listed):
        self.takes_hello(lambda hello: hello.with_extension(*versions(*listed)))

    @each(
        ("1.2 alone, listed", [0x0303]), ("1.0 to 1.2, listed", [0x0301, 0x0302, 0x0303]),
        ("a version of the future", [0x0305]), ("a draft of 1.3", [0x7F1C]))
    def refuses_listed(self, listed):
        self.refuses_hello(
            lambda hello: hello.with_extension(*versions(*listed)), "protocol_version", code="TLS version")

    @each(
        ("1.2 as it was before versions were listed", 0x0303), ("1.1", 0x0302), ("1.0", 0x0301),
        ("1.3 where 1.2 was said", TLS_1_3))
    def refuses_unlisted(self, version):
        self.refuses_hello(
            lambda hello: hello.but(version=version, suites=(0xC02B, 0xC02C, 0x1301)).without(
                ExtensionType.supported_versions), "protocol_version", code="TLS version")

    # Section 4.2.1: with supported_versions, legacy_version is not what is negotiated by.
    @each(
        ("legacy_version 1.0 with 1.3 listed", 0x0301), ("legacy_version 1.1 with 1.3 listed", 0x0302),
        ("legacy_version 1.3 with 1.3 listed", TLS_1_3), ("legacy_version of the future", 0x03FF))
    def takes_legacy(self, version):
        self.takes_hello(lambda hello: hello.but(version=version))

    # Appendix D.5 wants protocol_version for SSL 3.0, too.
    @each(
        ("legacy_version SSL 3.0", 0x0300, "handshake_failure"), ("legacy_version 2.0", 0x0200, "protocol_version"),
        ("legacy_version 0", 0, "protocol_version"))
    def refuses_legacy(self, version, alert):
        self.refuses_hello(lambda hello: hello.but(version=version), alert)

    # Section 5.1: legacy_record_version must be ignored.
    @each(("a record of version SSL 3.0", 0x0300), ("of 1.2", 0x0303), ("of 1.3", 0x0304), ("of the future", 0x03FF))
    def takes_record(self, version):
        peer = self.peer()
        peer.transcript = peer.hello.write()
        peer.records.send(HANDSHAKE, peer.hello.write(), version=version)
        peer.hear_hello()
        self.goes_on(peer)

    def test_record_of_another_protocol(self):
        """Where not even the major version is right, OpenSSL takes it for something else than TLS, and says nothing."""
        peer = self.peer()
        peer.records.send(HANDSHAKE, peer.hello.write(), version=0x0203)
        self.refuses(peer, "not TLS", None)

    def test_hello_of_ssl_2(self):
        """Appendix D.5 of RFC 8446: never to be answered as if it were one."""
        peer = self.peer()
        body = b"\1\3\3" + b"\0\3" + b"\0\0" + b"\0\x20" + b"\0\x13\1" + secrets.token_bytes(32)
        peer.records.send_bytes((0x8000 | len(body)).to_bytes(2, "big") + body)
        self.refuses(peer, "TLS version", "protocol_version")


class Extensions(ListenerCase):
    """tlsfuzzer: large-number-of-extensions, shuffled-extentions."""

    @each(
        ("a thousand extensions that nobody knows", [(12_000 + number, b"") for number in range(1000)]),
        ("one of 16 KiB", [(12_000, bytes(LARGEST))]), ("many of many sizes", [
            (20_000 + number, bytes(number)) for number in range(300)]),
        ("all of GREASE", [(number << 8 | number, b"\0") for number in range(0x0A, 0x100, 0x10)]))
    def takes_more(self, more):
        self.takes_hello(lambda hello: hello.but(extensions=more + hello.extensions))

    @each(*((f"in order {number}", number) for number in range(8)))
    def takes_order(self, seed):
        def shuffled(hello):
            extensions = hello.extensions + [(ExtensionType.extended_master_secret, b""), (12_345, b"?")]
            random.Random(seed).shuffle(extensions)
            return hello.but(extensions=extensions)
        self.takes_hello(shuffled)

    @each(*((f"{name} twice", getattr(ExtensionType, name)) for name in (
        "supported_versions", "supported_groups", "signature_algorithms", "key_share", "alpn")))
    def refuses_two(self, kind):
        """Section 4.2 forbids it, without a word on the alert."""
        def doubled(hello):
            return hello.but(extensions=hello.extensions + [entry for entry in hello.extensions if entry[0] == kind])
        self.refuses_hello(doubled, "illegal_parameter")

    # What a server alone says: section 4.2's table.
    @each(
        ("a cookie that was not given", ExtensionType.cookie, vector(b"cookie", 2), "takes"),
        ("certificate_authorities", 47, vector(vector(b"\x30\0", 2), 2), "takes"),
        # Section 4.2.4 wants at least one; OpenSSL does not mind.
        ("certificate_authorities of nobody", 47, vector(b"", 2), "takes"),
        ("certificate_authorities that end early", 47, b"\0\5\0\4\x30", "decode_error"),
        ("server_name", ExtensionType.server_name, vector(b"\0" + vector(b"coordinator", 2), 2), "takes"),
        ("server_name of no name", ExtensionType.server_name, vector(b"", 2), "decode_error"),
        ("server_name with a zero in it", ExtensionType.server_name, vector(b"\0" + vector(b"a\0b", 2), 2),
         "unrecognized_name"),
        ("server_name that ends early", ExtensionType.server_name, b"\0\x0e\0\0\x0bcoordin", "decode_error"),
        ("max_fragment_length of no size", 1, b"\5", "illegal_parameter"),
        ("status_request", ExtensionType.status_request, b"\1\0\0\0\0", "takes"),
        ("status_request that ends early", ExtensionType.status_request, b"\1\0\1", "decode_error"),
        ("record_size_limit", 28, b"\x40\0", "takes"))
    def knows(self, kind, body, outcome):
        def longer(hello):
            return hello.but(extensions=[(kind, body)] + hello.extensions)
        if outcome == "takes":
            self.takes_hello(longer)
        else:
            self.refuses_hello(longer, outcome)


class Lengths(ListenerCase):
    """tlsfuzzer: lengths. Section 6: what does not parse is answered with decode_error."""

    @each(*((f"ClientHello cut after {count} bytes", count) for count in (
        0, 1, 2, 33, 34, 35, 66, 67, 68, 72, 74, 75, 76, 77, 78, 80, 120, -1)))
    def refuses_cut(self, count):
        # Without its extensions it is whole again, and of 1.2: after the compression methods.
        whole = {77: "protocol_version"}
        peer = self.peer()
        peer.records.send_bytes(plain(HANDSHAKE, message(CLIENT_HELLO, peer.hello.body()[:count])))
        alert = whole.get(count, "decode_error")
        self.refuses(peer, "TLS version" if count in whole else "handshake failed", alert)

    @each(
        ("a session id of 33 bytes", lambda hello: hello.but(session=bytes(33))),
        ("one of 255", lambda hello: hello.but(session=bytes(255))),
        ("an odd number of bytes of cipher suites",
         lambda hello: hello.but(suites=OddNumbers(hello.suites))),
        ("no compression methods", lambda hello: hello.but(compression=b"")))
    def refuses_field(self, change):
        self.refuses_hello(change, "decode_error")

    @each(("a byte behind the extensions", b"\0"), ("a second ClientHello's worth behind them", bytes(300)))
    def refuses_rest(self, rest):
        peer = self.peer()
        peer.records.send_bytes(plain(HANDSHAKE, message(CLIENT_HELLO, peer.hello.body() + rest)))
        self.refuses(peer, "handshake failed", "decode_error")

    # Section 4.1.2: in 1.3 it is one byte of zero. OpenSSL answers by decode_error where no zero is there.
    @each(
        ("compression by DEFLATE beside none", b"\1\0", "illegal_parameter"),
        ("by DEFLATE alone", b"\1", "decode_error"), ("none, twice", b"\0\0", "illegal_parameter"))
    def refuses_compression(self, methods, alert):
        self.refuses_hello(lambda hello: hello.but(compression=methods), alert)

    # OpenSSL looks at supported_versions before all else, and has one answer to whatever is wrong with it.
    @each(*((f"{name} {what}", getattr(ExtensionType, name), change) for name in (
        "supported_versions", "supported_groups", "signature_algorithms", "key_share", "alpn") for what, change in (
            ("of no bytes", lambda body: b""), ("without its last byte", lambda body: body[:-1]),
            ("with a byte behind it", lambda body: body + b"\0"),
            ("that claims a byte more", lambda body: body[:-1] if len(body) < 2 else grown(body, 1)),
            ("that claims a byte less", lambda body: grown(body, -1)))))
    def refuses_extension(self, kind, change):
        self.refuses_hello(
            lambda hello: hello.with_extension(kind, change(dict(hello.extensions)[kind])),
            "protocol_version" if kind == ExtensionType.supported_versions else "decode_error")

    def test_no_versions(self):
        self.refuses_hello(
            lambda hello: hello.with_extension(*versions()), "protocol_version", code="TLS version")

    @each(
        ("no groups", groups()), ("no signature algorithms", signatures()),
        ("no protocols", protocols()), ("a protocol without a name", protocols("")))
    def refuses_nothing(self, extension):
        self.refuses_hello(lambda hello: hello.with_extension(*extension), "decode_error")

    @each(("of 16 MiB", 0xFFFFFF), ("of 128 KiB and more", 140_000))
    def refuses_size(self, size):
        """Before it has come: OpenSSL takes ClientHellos of up to 131,396 bytes. RFC 8446 leaves limits to whoever has
        them."""
        peer = self.peer()
        peer.records.send_bytes(plain(HANDSHAKE, bytes([CLIENT_HELLO]) + size.to_bytes(3, "big") + bytes(1000)))
        self.refuses(peer, "handshake failed", "illegal_parameter")

    def test_as_long_as_it_may_be(self):
        self.takes_hello(lambda hello: hello.but(extensions=[
            (12_000 + number, bytes(16_000)) for number in range(4)] + hello.extensions))


class OddNumbers(tuple):
    """Cipher suites, and half of one more."""

    def __iter__(self):
        return iter(HalfNumber(value) if place == 0 else value for place, value in enumerate(super().__iter__()))


class HalfNumber(int):
    def to_bytes(self, size, order):
        return bytes(size + 1)


def grown(body, by):
    """With another length in front, of one byte or of two."""
    size = 1 if body[0] == len(body) - 1 else 2
    return (int.from_bytes(body[:size], "big") + by).to_bytes(size, "big") + body[size:]


class Suites(ListenerCase):
    """tlsfuzzer: invalid-ciphers, nociphers; what good ones do is in test_conversation.py."""

    @each(
        ("a good one behind a thousand that nobody knows", [0x2000 + number for number in range(1000)] + [0x1301]),
        ("every number there is, of those that have no meaning in it", [0x1301, *range(0xD000, 0xFFFF)]),
        ("signs of renegotiation and of a fallback", [0x1301, RENEGOTIATION, FALLBACK]),
        ("the same one twice", [0x1301, 0x1301]))
    def takes_suites(self, suites):
        self.takes_hello(lambda hello: hello.but(suites=suites))

    @each(
        ("those of 1.2 alone", [0xC02B, 0xC02C, 0xC02F, 0xCCA9]), ("none that anybody knows", [0x1399, 0x13FF]),
        ("NULL", [0x0000]), ("integrity without secrecy (RFC 9150)", [0xC0B4, 0xC0B5]),
        ("signs alone", [RENEGOTIATION]),
        # Neither is among OpenSSL's own choice; nobody of ours offers them alone.
        ("AES-CCM", [0x1304]), ("AES-CCM-8", [0x1305]))
    def refuses_suites(self, suites):
        self.refuses_hello(lambda hello: hello.but(suites=suites), "handshake_failure")

    def test_none(self):
        """decode_error would be the better word for a list that must not be empty; OpenSSL says illegal_parameter."""
        self.refuses_hello(lambda hello: hello.but(suites=()), "illegal_parameter")


class SignatureAlgorithms(ListenerCase):
    """tlsfuzzer: signature-algorithms, ecdsa-support; of pkcs-signature, rsa-signatures, rsapss-signatures and eddsa what
    there is to ask of a listener whose key is on P-256."""

    def test_two_thousand_that_nobody_knows(self):
        strange = [(0xA0 + number // 256, number % 256) for number in range(2000)]
        self.takes_hello(lambda hello: hello.with_extension(*signatures(*strange, (4, 3))))

    @each(
        ("ECDSA with P-256 alone", [(4, 3)]), ("ECDSA with P-256 last", [(8, 4), (8, 7), (5, 3), (4, 3)]),
        ("ECDSA with P-256, twice", [(4, 3), (4, 3)]))
    def takes_signatures(self, schemes):
        self.takes_hello(lambda hello: hello.with_extension(*signatures(*schemes)))

    @each(
        ("RSA PKCS #1 alone", [(4, 1), (5, 1), (6, 1)]), ("RSA-PSS alone", [(8, 4), (8, 5), (8, 6)]),
        ("RSA-PSS with keys of its own alone", [(8, 9), (8, 10), (8, 11)]), ("EdDSA alone", [(8, 7), (8, 8)]),
        ("ECDSA with other curves alone", [(5, 3), (6, 3)]), ("ECDSA with SHA-1 alone", [(2, 3)]),
        ("DSA alone", [(4, 2), (2, 2)]), ("none that anybody knows", [(0xFE, 0), (0x2A, 0x2A)]))
    def refuses_signatures(self, schemes):
        self.refuses_hello(lambda hello: hello.with_extension(*signatures(*schemes)), "handshake_failure")

    def test_none(self):
        """Section 9.2."""
        self.refuses_hello(lambda hello: hello.without(ExtensionType.signature_algorithms), "missing_extension")

    @each(
        ("for certificates, those of the run's", [0x0403], None),
        # Section 4.4.2.2: a server that has no chain by these should send another; OpenSSL ends it.
        ("for certificates, RSA alone", [0x0401, 0x0804], "handshake_failure"))
    def of_certificates(self, schemes, alert):
        def longer(hello):
            return hello.with_extension(50, vector(numbers(schemes), 2))
        if alert:
            self.refuses_hello(longer, alert)
        else:
            self.takes_hello(longer)


class Protocols(ListenerCase):
    """Not of tlsfuzzer's: which wire is spoken is settled in the handshake (Protocol/SPEC.md, R-2, N-1)."""

    @each(
        ("salvor/1 last of many", ["h2", "http/1.1", "salvor/2", "salvor/1"]), ("salvor/1 twice", ["salvor/1"] * 2),
        ("salvor/1 and enrolment", ["salvor-enrol/1", "salvor/1"]))
    def takes_protocols(self, names):
        self.takes_hello(lambda hello: hello.with_extension(*protocols(*names)))

    @each(
        ("another protocol", ["h2"]), ("a later one", ["salvor/2"]), ("a part of the name", ["salvor/"]),
        ("more than the name", ["salvor/10"]), ("the name in capitals", ["SALVOR/1"]))
    def refuses_protocols(self, names):
        """RFC 7301, section 3.2."""
        self.refuses_hello(
            lambda hello: hello.with_extension(*protocols(*names)), "no_application_protocol",
            code="no common protocol")

    def test_none(self):
        """R-2: such a connection is closed. No RFC has an alert for it."""
        peer = self.peer()
        peer.handshake(peer.hello.without(ExtensionType.alpn))
        self.refuses(peer, "no common protocol", None)
