"""Keys of a TLS 1.3 connection (RFC 8446, section 7), and the shares that they are agreed on with."""

from tlslite.constants import GroupName
from tlslite.keyexchange import ECDHKeyExchange, FFDHKeyExchange
from tlslite.utils.cryptomath import HKDF_expand_label, secureHash, secureHMAC

TLS_1_3 = 0x0304
GROUPS = {
    name: getattr(GroupName, name) for name in (
        "x25519", "x448", "secp256r1", "secp384r1", "secp521r1", "ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144",
        "ffdhe8192")}


class Share:
    """Our half of a key exchange in one group."""

    def __init__(self, group):
        kind = FFDHKeyExchange if group in GroupName.allFF else ECDHKeyExchange
        self.group, self.exchange = group, kind(group, (3, 4))
        self.private = self.exchange.get_random_private_key()
        self.public = bytes(self.exchange.calc_public_value(self.private))

    def shared(self, public):
        return self.exchange.calc_shared_key(self.private, bytearray(public))


class KeySchedule:
    """From the shared secret to the traffic secrets of each epoch."""

    def __init__(self, suite, shared):
        self.suite = suite
        self.size = len(secureHash(bytearray(), suite.hash))
        early = self.extract(bytearray(self.size), bytearray(self.size))
        self.secret = self.extract(self.derive(early, b"derived", b""), shared)

    def extract(self, salt, key):
        return secureHMAC(salt, bytearray(key), self.suite.hash)

    def derive(self, secret, label, transcript):
        digest = secureHash(bytearray(transcript), self.suite.hash)
        return HKDF_expand_label(secret, bytearray(label), digest, self.size, self.suite.hash)

    def handshake(self, transcript):
        """Traffic secrets of client and server, from ClientHello to ServerHello."""
        return (
            self.derive(self.secret, b"c hs traffic", transcript), self.derive(self.secret, b"s hs traffic", transcript))

    def application(self, transcript):
        """Traffic secrets of client and server, from ClientHello to the server's Finished."""
        main = self.extract(self.derive(self.secret, b"derived", b""), bytearray(self.size))
        return (self.derive(main, b"c ap traffic", transcript), self.derive(main, b"s ap traffic", transcript))

    def finished(self, secret, transcript):
        """What Finished says (section 4.4.4)."""
        key = HKDF_expand_label(secret, bytearray(b"finished"), bytearray(), self.size, self.suite.hash)
        return bytes(secureHMAC(key, secureHash(bytearray(transcript), self.suite.hash), self.suite.hash))
