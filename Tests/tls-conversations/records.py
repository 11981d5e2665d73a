"""TLS 1.3 records (RFC 8446, section 5), every part of which a conversation can get wrong on purpose."""

import socket
from dataclasses import dataclass

from tlslite.utils.cipherfactory import createAESCCM, createAESCCM_8, createAESGCM, createCHACHA20
from tlslite.utils.cryptomath import HKDF_expand_label

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
# Section 5.1: the most that a record may hold; section 5.2: and what encryption may add.
LARGEST, EXPANSION = 1 << 14, 256


class Closed(Exception):
    """The listener has closed the connection."""


@dataclass(frozen=True)
class Suite:
    number: int
    hash: str
    key_length: int
    cipher: callable


SUITES = {
    suite.number: suite for suite in (
        Suite(0x1301, "sha256", 16, createAESGCM), Suite(0x1302, "sha384", 32, createAESGCM),
        Suite(0x1303, "sha256", 32, createCHACHA20), Suite(0x1304, "sha256", 16, createAESCCM),
        Suite(0x1305, "sha256", 16, createAESCCM_8))}


class TrafficKey:
    """The key of one direction, with its count of records."""

    def __init__(self, suite, secret):
        self.suite, self.secret, self.sequence = suite, secret, 0
        self.cipher = suite.cipher(self.expand(b"key", suite.key_length))
        self.iv = self.expand(b"iv", 12)

    def expand(self, label, length):
        return HKDF_expand_label(self.secret, bytearray(label), bytearray(), length, self.suite.hash)

    def updated(self):
        """Section 7.2."""
        return TrafficKey(self.suite, self.expand(b"traffic upd", len(self.secret)))

    def nonce(self):
        nonce = bytearray(self.iv)
        for place, byte in enumerate(self.sequence.to_bytes(8, "big")):
            nonce[4 + place] ^= byte
        self.sequence += 1
        return nonce

    def seal(self, inner, version=0x0303, outer=DATA):
        """A record of what is already TLSInnerPlaintext: content, its type, and padding."""
        length = len(inner) + self.cipher.tagLength
        header = bytearray([outer]) + version.to_bytes(2, "big") + length.to_bytes(2, "big")
        return bytes(header + self.cipher.seal(self.nonce(), bytearray(inner), header))

    def open(self, header, body):
        inner = self.cipher.open(self.nonce(), bytearray(body), bytearray(header))
        if inner is None:
            raise AssertionError("a record of the listener's does not decrypt")
        content = bytes(inner).rstrip(b"\0")
        assert content, "a record of the listener's has no content type"
        return content[-1], content[:-1]


def plain(kind, content, version=0x0303):
    return bytes([kind]) + version.to_bytes(2, "big") + len(content).to_bytes(2, "big") + bytes(content)


class Records:
    """A socket that records are sent and received on, encrypted from when there are keys."""

    def __init__(self, stream):
        self.stream = stream
        self.sending = self.receiving = None

    def send_bytes(self, data):
        try:
            self.stream.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            # The listener has seen enough; what it said can still be read.
            pass

    def send(self, kind, content, padding=0, version=0x0303):
        if self.sending is None:
            self.send_bytes(plain(kind, content, version))
        else:
            self.send_bytes(self.sending.seal(bytes(content) + bytes([kind]) + bytes(padding), version))

    def receive(self):
        """The next record's type and content. Content is None where it is encrypted and there is no key to it.

        - Raises `Closed` at the end, and `TimeoutError` where the listener leaves us waiting.
        """
        header = self.exactly(5)
        kind, length = header[0], int.from_bytes(header[3:], "big")
        # OpenSSL's alert for a peer of another version has that version.
        version = header[1:3].hex()
        assert kind == ALERT or version == "0303", f"a record of the listener's has version {version}"
        assert length <= LARGEST + EXPANSION, f"a record of the listener's has {length} bytes"
        body = self.exactly(length)
        if kind != DATA:
            return kind, body
        return self.receiving.open(header, body) if self.receiving else (kind, None)

    def exactly(self, count):
        data = b""
        while len(data) < count:
            try:
                piece = self.stream.recv(count - len(data))
            except ConnectionResetError:
                raise Closed("reset") from None
            if not piece:
                raise Closed("in the middle of a record" if data else "between records")
            data += piece
        return data

    def close(self):
        self.stream.close()

    def finish_sending(self):
        self.stream.shutdown(socket.SHUT_WR)
