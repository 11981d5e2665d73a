"""Key shares, the groups that they are of, and HelloRetryRequest."""

import secrets

from tlslite.constants import ExtensionType, GroupName
from tlslite.utils.cryptomath import numberToByteArray

from conversation import Conversation
from hello import groups, shares, vector
from keys import GROUPS, Share
from listener import ListenerCase, each

X25519, P_256, P_384, FFDHE_2048 = (GROUPS[name] for name in ("x25519", "secp256r1", "secp384r1", "ffdhe2048"))
UNKNOWN = 0x2A2A
X25519_MLKEM_768, P_256_MLKEM_768, P_384_MLKEM_1024 = 4588, 4587, 4589


class Groups(ListenerCase):
    """tlsfuzzer: ecdhe-curves, crfg-curves, ffdhe-groups."""

    @each(*((f"a share in {name}", name) for name in GROUPS))
    def takes_group(self, name):
        self.takes(self.peer(group=name))

    @each(*((f"{name} asked for", name) for name in ("secp256r1", "x448", "secp384r1", "secp521r1", "ffdhe2048")))
    def takes_asked(self, name):
        """No share at first: the listener asks for one (section 4.1.4)."""
        peer = self.peer(group=name)
        self.takes(peer, peer.hello.with_extension(*shares()))
        self.assertTrue(peer.retried)

    @each(*((name, number) for name, number in (
        ("secp192r1", 19), ("secp224r1", 21), ("sect163k1", 1), ("secp256k1", 22), ("brainpoolP256r1", 26),
        ("brainpoolP256r1 of 1.3", 31), ("any prime curve", 0xFF01), ("any group", UNKNOWN), ("group 0", 0),
        ("SM2", 41), ("X25519MLKEM768", X25519_MLKEM_768), ("MLKEM768", 513))))
    def refuses_alone(self, number):
        """tlsfuzzer: obsolete-curves, ecdhe-brainpool-curves, unrecognised-groups, mlkem. Section 4.1.1."""
        self.refuses_hello(
            lambda hello: hello.with_extension(*groups(number)).with_extension(*shares((number, bytes(65)))),
            "handshake_failure")

    @each(*((f"{name} beside x25519", number, size) for name, number, size in (
        ("secp192r1", 19, 49), ("brainpoolP256r1", 26, 65), ("a group that nobody knows", UNKNOWN, 1),
        ("X25519MLKEM768", X25519_MLKEM_768, 1216), ("SecP256r1MLKEM768", P_256_MLKEM_768, 1249),
        ("SecP384r1MLKEM1024", P_384_MLKEM_1024, 1665))))
    def passes_over(self, number, size):
        """In front of one that is known, with a share of its own (section 4.2.8)."""
        peer = self.peer()
        share = peer.shares[X25519]
        self.takes(peer, peer.hello.with_extension(*groups(number, X25519)).with_extension(
            *shares((number, secrets.token_bytes(size)), share)))

    def test_nobody_is_asked_for_a_group_that_he_has_not_named(self):
        """tlsfuzzer: no-unknown-groups, its question about HelloRetryRequest and EncryptedExtensions."""
        peer = self.peer(group="secp384r1", offered=["secp384r1"])
        named = [number for number in range(0x0100, 0x1000) if number not in GROUPS.values()]
        peer.say_hello(peer.hello.with_extension(*groups(*named, P_384)).with_extension(*shares()))
        peer.hear_hello()
        self.assertEqual(peer.retry_group(), P_384)
        self.goes_on(peer, peer.second_hello())
        told = peer.extensions.getExtension(ExtensionType.supported_groups)
        self.assertLessEqual(set(told.groups if told else ()), set(GROUPS.values()))


class BadShares(ListenerCase):
    """tlsfuzzer: ecdhe-curves, crfg-curves, ffdhe-sanity. Sections 4.2.8.1, 4.2.8.2 and 7.4.2."""

    @each(*((f"{name}: {what}", name, change) for name in ("secp256r1", "secp384r1", "secp521r1") for what, change in (
        ("a share without its last byte", lambda point: point[:-1]), ("with a byte more", lambda point: point + b"\0"),
        ("its first byte alone", lambda point: point[:1]),
        ("a point that is not on the curve", lambda point: moved(point)), ("the point at infinity", lambda point: b"\0"),
        ("the same, as long as a point", lambda point: bytes(len(point))),
        ("compressed", lambda point: bytes([2 + point[-1] % 2]) + point[1:1 + len(point) // 2]),
        ("hybrid", lambda point: bytes([6 + point[-1] % 2]) + point[1:]),
        ("coordinates beyond the field", lambda point: b"\4" + b"\xff" * (len(point) - 1)))))
    def refuses_point(self, name, change):
        self.refuses_changed(name, change)

    @each(*((f"{name}: {what}", name, change) for name in ("x25519", "x448") for what, change in (
        ("a share without its last byte", lambda key: key[:-1]), ("with a byte more", lambda key: key + b"\0"),
        ("one byte", lambda key: key[:1]))))
    def refuses_key(self, name, change):
        self.refuses_changed(name, change)

    # Section 7.4.2: the secret would be zero whatever the listener's key is.
    @each(
        ("x25519: zero", "x25519", bytes(32)), ("x25519: one", "x25519", b"\1" + bytes(31)),
        ("x25519: a point of order 8", "x25519", bytes.fromhex(
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")),
        ("x25519: the prime itself", "x25519", ((1 << 255) - 19).to_bytes(32, "little")),
        ("x448: zero", "x448", bytes(56)), ("x448: one", "x448", b"\1" + bytes(55)))
    def refuses_small_order(self, name, key):
        self.refuses_changed(name, lambda _: key)

    @each(*((f"{name}: {what}", name, change) for name in ("ffdhe2048", "ffdhe3072") for what, change in (
        ("zero", lambda prime: 0), ("one", lambda prime: 1), ("the prime less one", lambda prime: prime - 1),
        ("the prime", lambda prime: prime), ("the prime and one", lambda prime: prime + 1),
        ("all ones", lambda prime: (1 << prime.bit_length()) - 1))))
    def refuses_number(self, name, change):
        prime = Share(GROUPS[name]).exchange.prime
        self.refuses_changed(name, lambda public: change(prime).to_bytes(len(public), "big"))

    @each(*((f"ffdhe2048: {what}", change) for what, change in (
        ("a share without its last byte", lambda public: public[:-1]),
        ("without its first byte", lambda public: public[1:]),
        ("with a zero in front", lambda public: b"\0" + public), ("with a byte behind", lambda public: public + b"\0"),
        ("a two without zeros in front", lambda public: b"\2"))))
    def refuses_size(self, change):
        """Section 4.2.8.1: as long as the prime, zeros in front included."""
        self.refuses_changed("ffdhe2048", change)

    @each(*((f"{name}: no bytes", name) for name in ("x25519", "secp256r1", "ffdhe2048")))
    def refuses_empty(self, name):
        """key_exchange has at least one byte (section 4.2.8)."""
        self.refuses_changed(name, lambda public: b"", "decode_error")

    def refuses_changed(self, name, change, alert="illegal_parameter"):
        peer = self.peer(group=name)
        share = peer.shares[GROUPS[name]]
        peer.say_hello(peer.hello.with_extension(*shares((share.group, change(share.public)))))
        self.refuses(peer, "handshake failed", alert)


def moved(point):
    return point[:-1] + bytes([point[-1] ^ 1])


class SharedSecretPadding(ListenerCase):
    """tlsfuzzer: dhe-shared-secret-padding. A secret that begins with zeros keeps them (section 7.4)."""

    @each(*((f"{name} with a secret that begins with zero", name) for name in ("secp256r1", "secp384r1", "ffdhe2048")))
    def keeps_zeros(self, name):
        # With 1 for our private key the secret is the listener's share, so that one look tells whether it is such a one:
        # one in 256 is, and none of 8,192 once in 10¹⁴ runs.
        share = One(GROUPS[name])
        for _ in range(8192):
            peer = Conversation(self.listener, self.host, group=name, share=share)
            peer.say_hello()
            peer.hear_hello()
            if peer.shared[0] == 0:
                break
            peer.close()
            self.assertEqual(self.listener.hears(peer.address)[0], "refused")
        self.addCleanup(peer.close)
        self.goes_on(peer)


class One(Share):
    """A share of the private key 1, which is the group's generator."""

    def __init__(self, group):
        super().__init__(group)
        exchange = self.exchange
        if group in GroupName.allFF:
            self.public = bytes(numberToByteArray(exchange.generator, len(self.public)))
        else:
            self.public = bytes(exchange.calc_public_value(1))

    def shared(self, public):
        size = (len(public) - 1) // 2
        return public if self.group in GroupName.allFF else public[1:1 + size]


class RetryRequest(ListenerCase):
    """tlsfuzzer: hrr, keyshare-omitted, unrecognised-groups, shuffled-extentions."""

    def asked(self, hello=None):
        """A peer that offers x25519 and P-256, and shows no share."""
        peer = self.peer(offered=["x25519", "secp256r1"])
        peer.say_hello((hello or (lambda hello: hello))(peer.hello.with_extension(*shares())))
        peer.hear_hello()
        self.assertTrue(peer.retried)
        return peer

    def test_a_share_of_a_group_that_nobody_knows_alone(self):
        peer = self.peer(offered=["x25519"])
        peer.say_hello(peer.hello.with_extension(*groups(UNKNOWN, X25519)).with_extension(
            *shares((UNKNOWN, secrets.token_bytes(40)))))
        peer.hear_hello()
        self.assertEqual(peer.retry_group(), X25519)
        self.goes_on(peer, peer.second_hello())

    @each(
        ("padding may be added", lambda hello: hello.with_extension(21, bytes(100))),
        ("the order of extensions may be another", lambda hello: hello.but(extensions=hello.extensions[::-1])),
        # Section 4.2.2 leaves it to the listener what to make of a cookie; it has given none, and looks at none.
        ("there may be a cookie", lambda hello: hello.with_extension(ExtensionType.cookie, vector(b"cookie", 2))))
    def second_may_differ(self, change):
        peer = self.asked()
        self.goes_on(peer, change(peer.second_hello()))

    @each(
        ("as the first", lambda peer: peer.hello), ("no share", lambda peer: peer.hello.with_extension(*shares())),
        ("a share in another group than was asked for",
         lambda peer: peer.hello.with_extension(*shares(Share(other(peer))))),
        ("two shares", lambda peer: peer.hello.with_extension(
            *shares(Share(peer.retry_group()), Share(other(peer))))),
        ("another group asked for than named", lambda peer: peer.second_hello().with_extension(*groups(other(peer)))),
        ("another cipher suite", lambda peer: peer.second_hello().but(
            suites=tuple({0x1301, 0x1302, 0x1303} - {peer.suite.number}))),
        ("early data", lambda peer: peer.second_hello().with_extension(ExtensionType.early_data, b"")))
    def refuses_second(self, change):
        """Sections 4.1.2 and 4.2.8."""
        peer = self.asked()
        peer.say_hello(change(peer))
        self.refuses(peer, "handshake failed", "illegal_parameter")

    def test_second_without_a_known_cipher_suite(self):
        peer = self.asked()
        peer.say_hello(peer.second_hello().but(suites=(0x1399,)))
        self.refuses(peer, "handshake failed", "handshake_failure")

    def test_second_without_key_share(self):
        peer = self.asked()
        peer.say_hello(peer.hello.without(ExtensionType.key_share))
        self.refuses(peer, "handshake failed", "missing_extension")

    def test_second_of_an_older_version(self):
        peer = self.asked()
        peer.say_hello(peer.second_hello().without(ExtensionType.supported_versions))
        self.refuses(peer, "TLS version", "protocol_version")

    def test_third(self):
        peer = self.asked()
        peer.say_hello(peer.second_hello())
        peer.hear_hello()
        peer.hear_flight()
        peer.say(peer.hello.write())
        self.refuses(peer, "handshake failed", "unexpected_message")

    def test_anything_else_in_place_of_the_second(self):
        peer = self.asked()
        peer.say(b"\x14\0\0\x20" + bytes(32))
        self.refuses(peer, "handshake failed", "unexpected_message")

    # Section 9.2.
    @each(
        ("groups, but no key_share", [ExtensionType.key_share]),
        ("key_share, but no groups", [ExtensionType.supported_groups]),
        ("neither", [ExtensionType.key_share, ExtensionType.supported_groups]))
    def refuses_without(self, kinds):
        self.refuses_hello(lambda hello: hello.without(*kinds), "missing_extension")

    @each(
        ("a share in a group that is not named", lambda share: [groups(P_256), shares(share)]),
        ("beside one in a group that is named", lambda share: [groups(P_256), shares(share, Share(P_256))]))
    def refuses_shares(self, extensions):
        """Section 4.2.8: who looks for this ends with illegal_parameter."""
        def changed(hello):
            share = Share(X25519)
            for extension in extensions(share):
                hello = hello.with_extension(*extension)
            return hello
        self.refuses_hello(changed, "illegal_parameter")

    def test_two_shares_in_one_group(self):
        """The same section forbids them, and does not ask a server to look: the first one counts."""
        peer = self.peer()
        first = peer.shares[X25519]
        self.takes(peer, peer.hello.with_extension(*shares(first, (X25519, Share(X25519).public))))

    @each(
        ("an entry that ends early", lambda share: vector(b"\0\x1d\0\x20" + bytes(31), 2)),
        ("an entry without a length", lambda share: vector(b"\0\x1d", 2)),
        ("entries of half a group's number", lambda share: vector(b"\0", 2)))
    def refuses_entries(self, body):
        self.refuses_hello(lambda hello: hello.with_extension(ExtensionType.key_share, body(None)), "decode_error")


def other(peer):
    """Of the two groups that were offered, the one that was not asked for."""
    return P_256 if peer.retry_group() == X25519 else X25519
