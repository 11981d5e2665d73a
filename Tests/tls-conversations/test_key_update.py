"""KeyUpdate (RFC 8446, sections 4.6.3 and 7.2)."""

from tlslite.constants import HandshakeType

from conversation import PING, frame
from hello import message
from listener import ListenerCase, each
from records import ALERT, DATA, HANDSHAKE, plain

FAILED, VIOLATION = "handshake failed", "protocol violation"
UPDATE = message(HandshakeType.key_update, b"\0")
REQUEST = message(HandshakeType.key_update, b"\1")


class KeyUpdate(ListenerCase):
    """tlsfuzzer: keyupdate."""

    @each(("once", 1), ("twice", 2), ("thirty times", 30))
    def takes_updates(self, count):
        peer = self.opened()
        for _ in range(count):
            peer.say_key_update()
        self.goes_well(peer)
        self.assertEqual(peer.updates, [])

    @each(("asked for one in return, once", 1), ("asked for one in return, thirty times", 30))
    def answers_requests(self, count):
        """tlsfuzzer: keyupdate-from-server, as far as a listener sends any. It does so only when asked, and asks for none
        itself; several requests may have one answer."""
        peer = self.opened()
        for _ in range(count):
            peer.say_key_update(1)
            peer.ping()
        self.assertEqual(peer.updates, [0] * count)
        self.goes_well(peer)

    def test_requests_without_a_look_at_the_answers(self):
        peer = self.opened()
        for _ in range(500):
            peer.say_key_update(1)
        self.goes_well(peer)
        self.assertTrue(peer.updates)
        self.assertEqual(set(peer.updates), {0})

    @each(*((f"in pieces of {size}", size) for size in (1, 2, 4)))
    def takes_pieces(self, size):
        peer = self.opened()
        for start in range(0, len(UPDATE), size):
            peer.records.send(HANDSHAKE, UPDATE[start:start + size])
        peer.records.sending = peer.records.sending.updated()
        self.goes_well(peer)

    def test_with_padding(self):
        peer = self.opened()
        peer.records.send(HANDSHAKE, UPDATE, padding=1000)
        peer.records.sending = peer.records.sending.updated()
        self.goes_well(peer)

    def test_as_first_thing_after_finished(self):
        peer = self.peer()
        peer.handshake()
        peer.say_key_update(1)
        self.has_taken(peer)

    @each(*((f"that says {value}", value) for value in (2, 3, 127, 255)))
    def refuses_value(self, value):
        peer = self.opened()
        peer.say_key_update(value)
        self.breaks_off(peer, VIOLATION, "illegal_parameter")

    def test_of_no_bytes(self):
        peer = self.opened()
        peer.records.send(HANDSHAKE, message(HandshakeType.key_update, b""))
        self.breaks_off(peer, VIOLATION, "decode_error")

    @each(("of two bytes", 2), ("of a thousand bytes", 1000), ("of 16 MiB", (1 << 24) - 1))
    def refuses_announced(self, length):
        """A KeyUpdate has one byte: the listener does not wait for more. OpenSSL calls what is too long for its kind
        illegal_parameter, where section 6.2 has decode_error."""
        peer = self.opened()
        peer.records.send(HANDSHAKE, bytes([HandshakeType.key_update]) + length.to_bytes(3, "big"))
        self.breaks_off(peer, VIOLATION, "illegal_parameter")

    @each(
        ("two in one record", UPDATE), ("half a message behind it", UPDATE[:2]), ("one byte behind it", UPDATE[:1]))
    def refuses_behind(self, more):
        """Section 5.1: the keys change at a record's end."""
        peer = self.opened()
        peer.records.send(HANDSHAKE, UPDATE + more)
        self.breaks_off(peer, VIOLATION, "unexpected_message")

    @each(*((f"data after {size} of its bytes", size) for size in (1, 2, 3, 4)))
    def refuses_between(self, size):
        peer = self.opened()
        peer.records.send(HANDSHAKE, UPDATE[:size])
        peer.say_data(frame(PING, bytes(8)))
        self.breaks_off(peer, VIOLATION, "unexpected_message")

    @each(("old keys after it", UPDATE, None), ("new keys without it", b"", 1))
    def refuses_keys(self, said, updates):
        peer = self.opened()
        if said:
            peer.records.send(HANDSHAKE, said)
        if updates:
            peer.records.sending = peer.records.sending.updated()
        peer.say_data(frame(PING, bytes(8)))
        self.breaks_off(peer, VIOLATION, "bad_record_mac")

    @each(("unencrypted", UPDATE), ("unencrypted, with a request", REQUEST))
    def refuses_plain(self, update):
        peer = self.opened()
        peer.records.send_bytes(plain(HANDSHAKE, update))
        self.breaks_off(peer, VIOLATION, "unexpected_message")

    def test_in_the_handshake(self):
        """Section 4.6.3: unexpected_message before Finished."""
        peer = self.peer()
        peer.until_flight()
        peer.say(REQUEST)
        self.refuses(peer, FAILED, "unexpected_message")

    @each(*((name, getattr(HandshakeType, name)) for name in (
        "client_hello", "server_hello", "new_session_ticket", "end_of_early_data", "encrypted_extensions", "certificate",
        "certificate_request", "certificate_verify", "finished", "hello_request")))
    def refuses_other(self, kind):
        """No other handshake message has a place after the handshake."""
        peer = self.opened()
        peer.records.send(HANDSHAKE, message(kind, b"\0"))
        self.breaks_off(peer, VIOLATION, "unexpected_message")

    def test_alert_within_it(self):
        peer = self.opened()
        peer.records.send(HANDSHAKE, UPDATE[:2])
        peer.records.send(ALERT, b"\2\x32")
        self.breaks_off(peer, VIOLATION, "unexpected_message")

    def test_each_suite(self):
        """SHA-384's keys are of another length."""
        for suite in (0x1301, 0x1302, 0x1303):
            peer = self.peer()
            peer.handshake(peer.hello.but(suites=(suite,)))
            self.opens(peer)
            peer.say_key_update(1)
            peer.ping()
            self.assertEqual(peer.updates, [0])
            self.goes_well(peer)

    def test_data_in_the_same_segment(self):
        peer = self.opened()
        old = peer.records.sending
        update = old.seal(UPDATE + bytes([HANDSHAKE]))
        peer.records.sending = old.updated()
        peer.records.send_bytes(update + peer.records.sending.seal(frame(PING, b"together") + bytes([DATA])))
        self.assertEqual(peer.hear_frame(), (PING, 1, 0, b"together"))
        self.goes_well(peer)
