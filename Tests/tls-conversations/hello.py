"""ClientHello (RFC 8446, section 4.1.2) as fields and a list of extensions, which may be any bytes in any order."""

import secrets
from dataclasses import dataclass, field, replace

from tlslite.constants import ExtensionType, SignatureScheme

from keys import TLS_1_3

CLIENT_HELLO = 1
SIGNATURES = [
    SignatureScheme.ecdsa_secp256r1_sha256, SignatureScheme.ecdsa_secp384r1_sha384,
    SignatureScheme.ecdsa_secp521r1_sha512, SignatureScheme.ed25519, SignatureScheme.ed448,
    SignatureScheme.rsa_pss_rsae_sha256, SignatureScheme.rsa_pss_rsae_sha384, SignatureScheme.rsa_pss_rsae_sha512]


def vector(content, length_size):
    """Bytes behind their length."""
    return len(content).to_bytes(length_size, "big") + bytes(content)


def numbers(values, size=2):
    return b"".join(value.to_bytes(size, "big") for value in values)


def message(kind, body):
    """A handshake message."""
    return bytes([kind]) + vector(body, 3)


def versions(*values):
    return ExtensionType.supported_versions, vector(numbers(values), 1)


def groups(*values):
    return ExtensionType.supported_groups, vector(numbers(values), 2)


def signatures(*schemes):
    return ExtensionType.signature_algorithms, vector(b"".join(bytes(scheme) for scheme in schemes), 2)


def entry(group, public):
    """One entry of key_share."""
    return group.to_bytes(2, "big") + vector(public, 2)


def shares(*values):
    """Of `Share`s, or of pairs of a group and any bytes."""
    pairs = ((value.group, value.public) if hasattr(value, "public") else value for value in values)
    return ExtensionType.key_share, vector(b"".join(entry(*pair) for pair in pairs), 2)


def protocols(*names):
    return ExtensionType.alpn, vector(b"".join(vector(name.encode(), 1) for name in names), 2)


@dataclass
class ClientHello:
    version: int = 0x0303
    random: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    # Not empty, as middleboxes want it (appendix D.4): the listener has to echo it.
    session: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    suites: tuple = (0x1301, 0x1302, 0x1303)
    compression: bytes = b"\0"
    extensions: list = field(default_factory=list)

    def write(self):
        return message(CLIENT_HELLO, self.body())

    def head(self):
        """All before the extensions."""
        return (
            self.version.to_bytes(2, "big") + self.random + vector(self.session, 1) + vector(numbers(self.suites), 2)
            + vector(self.compression, 1))

    def body(self):
        extensions = b"".join(kind.to_bytes(2, "big") + vector(body, 2) for kind, body in self.extensions)
        return self.head() + vector(extensions, 2)

    def but(self, **fields):
        return replace(self, **fields)

    def with_extension(self, kind, body):
        """In the place of the one that is there, or at the end."""
        changed = [(have, body if have == kind else old) for have, old in self.extensions]
        if kind not in self.kinds:
            changed.append((kind, body))
        return self.but(extensions=changed)

    def without(self, *kinds):
        return self.but(extensions=[(kind, body) for kind, body in self.extensions if kind not in kinds])

    @property
    def kinds(self):
        return [kind for kind, _ in self.extensions]


def ordinary(share, names, offered=None):
    """What an agent's ClientHello has in it, of TLS 1.3 alone."""
    return ClientHello(extensions=[
        versions(TLS_1_3), groups(*(offered or [share.group])), signatures(*SIGNATURES), shares(share),
        protocols(*names)])
