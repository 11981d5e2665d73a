"""A TLS 1.3 client (RFC 8446) whose every step can be left out, repeated, put elsewhere, or done wrong."""

import socket
import struct

from tlslite.constants import AlertDescription, CertificateType, ExtensionType, HandshakeType
from tlslite.messages import (
    Certificate, CertificateRequest, CertificateVerify, EncryptedExtensions, ServerHello)
from tlslite.utils.codec import Parser
from tlslite.utils.cryptomath import secureHash

from hello import ordinary, message, shares, vector
from keys import GROUPS, KeySchedule, Share
from records import ALERT, CHANGE_CIPHER_SPEC, DATA, HANDSHAKE, LARGEST, SUITES, Closed, Records, TrafficKey

# A busy machine answers late; a listener that never does is found out by this.
PATIENCE = 30
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
NAMES = {number: name for name, number in vars(AlertDescription).items() if isinstance(number, int)}
# Later than tlslite's list: RFC 8446, section 6.
NAMES |= {116: "certificate_required", 120: "no_application_protocol"}
# Protocol/SPEC.md, P-1 and F-1.
PREFACE = b"SALVOR\0\1"
SETTINGS, PING, GOAWAY = 1, 7, 8


def frame(kind, payload=b"", flags=0):
    return struct.pack(">IBBI", len(payload), kind, flags, 0) + payload


class Alert(Exception):
    """The listener has sent one, by its name."""


class Conversation:
    """From the connection to its end. `say…` sends, `hear…` waits for the listener.

    - Parameter group: of the one key share; `offered`: the groups that are said to be known; `share`: one made before.
    """

    def __init__(self, listener, identity=None, names=("salvor/1",), group="x25519", offered=None, share=None):
        self.stream = socket.create_connection(("127.0.0.1", listener.port), timeout=PATIENCE)
        self.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address = "ipv4:%s:%d" % self.stream.getsockname()
        self.records = Records(self.stream)
        self.identity, self.names = identity, names
        self.shares = {GROUPS[group]: share or Share(GROUPS[group])}
        self.hello = ordinary(
            self.shares[GROUPS[group]], names, [GROUPS[name] for name in offered] if offered else None)
        self.transcript = self.unread = self.data = b""
        self.retried = False
        self.answer = self.request = self.secrets = None
        self.compatibility = self.tickets = 0
        # Key updates of the listener's, as it asked for one in return or did not.
        self.updates = []

    # The client's flights.

    def say(self, *messages, padding=0, version=0x0303):
        """Handshake messages, in one record, or in as many as they need."""
        content = b"".join(messages)
        self.transcript += content
        for start in range(0, len(content), LARGEST):
            self.records.send(HANDSHAKE, content[start:start + LARGEST], padding, version)

    def say_hello(self, hello=None):
        self.hello = hello or self.hello
        # A first ClientHello may say 1.0 in its record (section 5.1).
        self.say(self.hello.write(), version=0x0303 if self.retried else 0x0301)

    def certificate(self, chain=None, context=b""):
        """Certificate (section 4.4.2)."""
        chain = chain if chain is not None else self.identity.chain if self.identity else ()
        entries = b"".join(vector(one, 3) + vector(b"", 2) for one in chain)
        return message(HandshakeType.certificate, vector(context, 1) + vector(entries, 3))

    def signed_content(self, transcript=None, role=b"client"):
        """What CertificateVerify signs (section 4.4.3)."""
        digest = secureHash(bytearray(self.transcript if transcript is None else transcript), self.suite.hash)
        return b"\x20" * 64 + b"TLS 1.3, " + role + b" CertificateVerify\0" + bytes(digest)

    def certificate_verify(self, scheme=None, signature=None):
        scheme = scheme or self.identity.scheme
        if signature is None:
            signature = self.identity.sign(self.signed_content(), scheme)
        return message(HandshakeType.certificate_verify, bytes(scheme) + vector(signature, 2))

    def finished(self):
        return message(HandshakeType.finished, self.keys.finished(self.client_secret, self.transcript))

    def say_certificates(self):
        """What the listener has asked for, if it has."""
        if self.request is None:
            return
        self.say(self.certificate())
        if self.identity:
            self.say(self.certificate_verify())

    def say_finished(self, *messages):
        """The handshake's end, or what is said in its place; application keys from then on."""
        self.say(*(messages or [self.finished()]))
        self.use_application_keys()

    def use_application_keys(self):
        self.records.sending = TrafficKey(self.suite, self.secrets[0])

    def say_key_update(self, request=0, body=None):
        self.records.send(HANDSHAKE, message(HandshakeType.key_update, bytes([request]) if body is None else body))
        self.records.sending = self.records.sending.updated()

    def say_alert(self, name, level=2):
        self.records.send(ALERT, bytes([level, getattr(AlertDescription, name)]))

    # The listener's flight.

    def hear_message(self, *kinds):
        """The next handshake message: its type, its body, and all of it."""
        while len(self.unread) < 4 or len(self.unread) < 4 + int.from_bytes(self.unread[1:4], "big"):
            kind, content = self.records.receive()
            if kind == CHANGE_CIPHER_SPEC:
                assert content == b"\1", content
                self.compatibility += 1
            elif kind == ALERT:
                raise Alert(NAMES.get(content[1], content[1]))
            else:
                assert kind == HANDSHAKE and content, f"a record of type {kind} where a handshake message belongs"
                self.unread += content
        length = 4 + int.from_bytes(self.unread[1:4], "big")
        whole, self.unread = self.unread[:length], self.unread[length:]
        assert whole[0] in kinds, f"handshake message {whole[0]}, not {kinds}"
        return whole[0], whole[4:], whole

    def hear_hello(self):
        """ServerHello, and the handshake's keys; or HelloRetryRequest, and nothing more."""
        _, body, whole = self.hear_message(HandshakeType.server_hello)
        answer = self.answer = ServerHello().parse(Parser(bytearray(whole[1:])))
        self.suite = SUITES[answer.cipher_suite]
        assert self.suite.number in self.hello.suites
        assert answer.server_version == (3, 3) and bytes(answer.session_id) == self.hello.session
        assert answer.getExtension(ExtensionType.supported_versions).version == (3, 4)
        if bytes(answer.random) == RETRY:
            assert not self.retried, "HelloRetryRequest for the second time"
            self.retried = True
            digest = bytes(secureHash(bytearray(self.transcript), self.suite.hash))
            # Section 4.4.1.
            self.transcript = message(HandshakeType.message_hash, digest) + whole
            return
        self.transcript += whole
        share = answer.getExtension(ExtensionType.key_share).server_share
        self.shared = self.shares[share.group].shared(share.key_exchange)
        self.keys = KeySchedule(self.suite, self.shared)
        self.client_secret, server = self.keys.handshake(self.transcript)
        self.records.sending = TrafficKey(self.suite, self.client_secret)
        self.records.receiving = TrafficKey(self.suite, server)
        self.server_secret = server

    def retry_group(self):
        """The group that HelloRetryRequest asks for."""
        return self.answer.getExtension(ExtensionType.key_share).selected_group

    def second_hello(self):
        """What HelloRetryRequest asks for (section 4.1.2)."""
        share = self.shares[self.retry_group()] = Share(self.retry_group())
        return self.hello.with_extension(*shares(share))

    def hear_flight(self):
        """From EncryptedExtensions to Finished, all of it verified."""
        _, _, whole = self.hear_message(HandshakeType.encrypted_extensions)
        self.extensions = EncryptedExtensions().parse(Parser(bytearray(whole[1:])))
        self.transcript += whole
        kind, _, whole = self.hear_message(HandshakeType.certificate_request, HandshakeType.certificate)
        if kind == HandshakeType.certificate_request:
            self.request = CertificateRequest((3, 4)).parse(Parser(bytearray(whole[1:])))
            self.transcript += whole
            _, _, whole = self.hear_message(HandshakeType.certificate)
        parsed = Certificate(CertificateType.x509, (3, 4)).parse(Parser(bytearray(whole[1:])))
        self.transcript += whole
        self.server_chain = parsed.cert_chain
        signed = self.signed_content(role=b"server")
        _, _, whole = self.hear_message(HandshakeType.certificate_verify)
        verify = CertificateVerify((3, 4)).parse(Parser(bytearray(whole[1:])))
        # The run's keys are on P-256, and it has but one scheme.
        assert verify.signatureAlgorithm == (4, 3), verify.signatureAlgorithm
        key = parsed.cert_chain.getEndEntityPublicKey()
        assert key.verify(verify.signature, secureHash(bytearray(signed), "sha256")), "a signature that is not good"
        self.transcript += whole
        expected = self.server_verify_data = self.keys.finished(self.server_secret, self.transcript)
        _, body, whole = self.hear_message(HandshakeType.finished)
        assert body == expected, "a Finished that is not of this handshake"
        self.transcript += whole
        assert not self.unread
        self.secrets = self.keys.application(self.transcript)
        self.records.receiving = TrafficKey(self.suite, self.secrets[1])

    def until_flight(self, hello=None):
        """All that comes before the client's second flight."""
        self.say_hello(hello)
        self.hear_hello()
        if self.retried:
            self.say_hello(self.second_hello())
            self.hear_hello()
        self.hear_flight()

    def handshake(self, hello=None):
        self.until_flight(hello)
        self.say_certificates()
        self.say_finished()

    # The wire upon it.

    def say_data(self, data, padding=0):
        self.records.send(DATA, data, padding)

    def hear_data(self, count):
        """So many bytes of the wire; what TLS says between them is taken note of."""
        while len(self.data) < count:
            kind, content = self.records.receive()
            if kind == ALERT:
                raise Alert(NAMES.get(content[1], content[1]))
            if kind == HANDSHAKE:
                self.note(content)
            else:
                assert kind == DATA, f"a record of type {kind}"
                self.data += content
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def note(self, content):
        kind = content[0]
        if kind == HandshakeType.new_session_ticket:
            self.tickets += 1
            return
        assert kind == HandshakeType.key_update and len(content) == 5, content
        self.updates.append(content[4])
        self.records.receiving = self.records.receiving.updated()

    def hear_frame(self):
        length, kind, flags, stream = struct.unpack(">IBBI", self.hear_data(10))
        return kind, flags, stream, self.hear_data(length)

    def open(self):
        """Both sides' preface and SETTINGS: the listener's are the proof that it has taken this peer."""
        self.say_data(PREFACE + frame(SETTINGS))
        self.hear_opening()

    def hear_opening(self):
        assert self.hear_data(8) == PREFACE
        kind, flags, stream, payload = self.hear_frame()
        assert (kind, flags, stream, len(payload) % 6) == (SETTINGS, 0, 0, 0)

    def ping(self, payload=b"12345678", say=None):
        """There and back: application data flows both ways."""
        (say or self.say_data)(frame(PING, payload))
        assert self.hear_frame() == (PING, 1, 0, payload)

    # The end.

    def hear_end(self):
        """The alert that the listener ends with, None if it just closes; after it the listener must close.

        What it said before that is passed over, except application data: who is refused gets none.
        """
        while True:
            try:
                kind, content = self.records.receive()
            except Closed:
                return None
            if kind == ALERT:
                break
            if kind == HANDSHAKE and self.secrets is not None:
                self.note(content)
            self.data += content if kind == DATA and content else b""
        assert content[0] == 2 or content[1] == AlertDescription.close_notify, f"a warning: {content}"
        try:
            kind, content = self.records.receive()
        except Closed:
            return NAMES.get(content[1], content[1])
        raise AssertionError(f"after its alert the listener goes on with a record of type {kind}")

    def leave(self):
        """As a peer that is done: both sides have said so, on the wire and in TLS (Protocol/SPEC.md, G-5)."""
        self.say_data(frame(GOAWAY, struct.pack(">II", 0, 0)))
        self.say_alert("close_notify", level=1)
        return self.hear_end()

    def close(self):
        self.stream.close()
