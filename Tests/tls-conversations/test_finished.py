"""Finished (RFC 8446, section 4.4.4), and what comes in its place or beside it."""

from tlslite.constants import HandshakeType

from conversation import PREFACE, SETTINGS, frame
from hello import message
from listener import ListenerCase, each
from records import DATA, HANDSHAKE, TrafficKey, plain

FAILED = "handshake failed"


class FinishedCase(ListenerCase):
    def ready(self):
        """A peer that has only Finished left to say."""
        peer = self.peer()
        peer.until_flight()
        peer.say_certificates()
        return peer


class Finished(FinishedCase):
    """tlsfuzzer: finished."""

    @each(*((f"bit {bit} of byte {place} changed", place, bit) for place in (0, 1, 15, 16, 30, 31) for bit in (0, 7)))
    def refuses_changed(self, place, bit):
        peer = self.ready()
        body = bytearray(peer.finished()[4:])
        body[place] ^= 1 << bit
        peer.say_finished(message(HandshakeType.finished, body))
        self.refuses(peer, FAILED, "decrypt_error")

    @each(
        ("zeros", lambda peer: bytes(32)), ("ones", lambda peer: b"\xff" * 32),
        ("the listener's own", lambda peer: peer.server_verify_data),
        ("one by the listener's key", lambda peer: peer.keys.finished(peer.server_secret, peer.transcript)),
        ("one of a handshake without CertificateVerify", lambda peer: peer.keys.finished(
            peer.client_secret, peer.transcript[:-78])))
    def refuses_other(self, body):
        peer = self.ready()
        peer.say_finished(message(HandshakeType.finished, body(peer)))
        self.refuses(peer, FAILED, "decrypt_error")

    @each(
        ("no bytes", lambda body: b""), ("one", lambda body: body[:1]), ("one less", lambda body: body[:-1]),
        ("one more", lambda body: body + b"\0"), ("a zero in front", lambda body: b"\0" + body),
        ("as many as SHA-384 has", lambda body: body + bytes(16)))
    def refuses_length(self, change):
        """Its length is the hash's (section 4.4.4): decode_error, by section 6.2."""
        peer = self.ready()
        peer.say_finished(message(HandshakeType.finished, change(peer.finished()[4:])))
        self.refuses(peer, FAILED, "decode_error")

    @each(*((f"of {length:,} bytes, announced", length) for length in (65, 1000, 17_000, (1 << 24) - 1)))
    def refuses_announced(self, length):
        peer = self.ready()
        peer.say(bytes([HandshakeType.finished]) + length.to_bytes(3, "big"))
        self.refuses(peer, FAILED, "illegal_parameter")

    @each(*((name, getattr(HandshakeType, name)) for name in (
        "client_hello", "server_hello", "new_session_ticket", "end_of_early_data", "encrypted_extensions",
        "certificate_request", "client_key_exchange", "key_update", "message_hash", "hello_request")))
    def refuses_message(self, kind):
        """In its place."""
        peer = self.ready()
        peer.say_finished(message(kind, b"\0"))
        self.refuses(peer, FAILED, "unexpected_message")

    @each(*((f"in pieces of {size}", size) for size in (1, 3, 35)))
    def takes_pieces(self, size):
        """Section 5.1: a message may be spread over records."""
        peer = self.ready()
        whole = peer.finished()
        for start in range(0, len(whole), size):
            peer.records.send(HANDSHAKE, whole[start:start + size])
        peer.transcript += whole
        peer.use_application_keys()
        self.has_taken(peer)

    def test_everything_in_one_record(self):
        peer = self.peer()
        peer.until_flight()
        certificate = peer.certificate()
        before = peer.transcript
        peer.transcript += certificate
        verify = peer.certificate_verify()
        peer.transcript += verify
        finished = peer.finished()
        peer.transcript = before
        peer.say_finished(certificate, verify, finished)
        self.has_taken(peer)


class Early(FinishedCase):
    """tlsfuzzer: finished-plaintext, and what else comes under keys that are not yet, or no longer, in use."""

    @each(("Finished", b""), ("with padding, as it were", bytes(32)))
    def refuses_plain(self, more):
        """Unencrypted, where every record is protected (section 5.2)."""
        peer = self.ready()
        peer.records.send_bytes(plain(HANDSHAKE, peer.finished() + more))
        self.refuses(peer, FAILED, "unexpected_message")

    def test_certificates_unencrypted(self):
        peer = self.peer()
        peer.until_flight()
        peer.records.send_bytes(plain(HANDSHAKE, peer.certificate()))
        self.refuses(peer, FAILED, "unexpected_message")

    def test_finished_under_application_keys(self):
        peer = self.ready()
        finished = peer.finished()
        peer.use_application_keys()
        peer.say(finished)
        self.refuses(peer, FAILED, "bad_record_mac")

    def test_data_under_handshake_keys(self):
        peer = self.ready()
        peer.say(peer.finished())
        peer.say_data(PREFACE + frame(SETTINGS))
        # After Finished the host has shown who it is, and may be told the listener's preface.
        self.ends(peer, "refused", "protocol violation", "bad_record_mac")

    @each(("data before it", PREFACE + frame(SETTINGS)), ("one byte of data before it", b"S"))
    def refuses_data_before(self, data):
        """Section 2: a client must not send application data before its Finished."""
        peer = self.ready()
        peer.say_data(data)
        self.refuses(peer, FAILED, "unexpected_message")

    def test_data_unencrypted(self):
        peer = self.ready()
        peer.records.send_bytes(plain(DATA, PREFACE + frame(SETTINGS)))
        self.refuses(peer, FAILED, "bad_record_mac")

    def test_data_in_the_same_segment(self):
        """Under its own keys it may follow at once."""
        peer = self.ready()
        handshake, application = peer.records.sending, TrafficKey(peer.suite, peer.secrets[0])
        finished = peer.finished()
        peer.transcript += finished
        peer.records.send_bytes(
            handshake.seal(finished + bytes([HANDSHAKE])) + application.seal(PREFACE + frame(SETTINGS) + bytes([DATA])))
        peer.records.sending = application
        peer.hear_opening()
        self.assertEqual(self.listener.hears(peer.address)[0], "accepted")
        self.goes_well(peer)

    @each(
        ("a second Finished", lambda peer: peer.finished()),
        ("a KeyUpdate", lambda peer: message(HandshakeType.key_update, b"\0")),
        ("half a message", lambda peer: b"\x18\0"), ("one byte of a message", lambda peer: b"\x18"))
    def refuses_behind(self, more):
        """Section 5.1: no record may go on behind the message that changes the keys."""
        peer = self.ready()
        peer.say_finished(peer.finished() + more(peer))
        self.refuses(peer, FAILED, "unexpected_message")
