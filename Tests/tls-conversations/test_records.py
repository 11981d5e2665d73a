"""The record layer (RFC 8446, section 5): types, lengths, padding, protection."""

import secrets

from tlslite.constants import HandshakeType

from conversation import PING, PREFACE, SETTINGS, frame
from hello import message
from listener import ListenerCase, each
from records import ALERT, CHANGE_CIPHER_SPEC, DATA, EXPANSION, HANDSHAKE, LARGEST, plain

FAILED, VIOLATION = "handshake failed", "protocol violation"
# A frame of a type that nobody knows, which a receiver skips (Protocol/SPEC.md, F-7): data of any size.
SKIPPED = 0xEE


class RecordCase(ListenerCase):
    def asked(self):
        peer = self.peer()
        peer.until_flight()
        return peer


class Padding(RecordCase):
    """tlsfuzzer: record-padding. Section 5.4."""

    @each(*((f"{size} bytes behind a handshake message", size) for size in (1, 255, 256, 15_000)))
    def takes_handshake(self, size):
        peer = self.asked()
        certificate = peer.certificate()
        peer.say(certificate, padding=min(size, LARGEST - len(certificate)))
        peer.say(peer.certificate_verify(), padding=size)
        peer.say(peer.finished(), padding=size)
        peer.use_application_keys()
        self.has_taken(peer)

    @each(*((f"{size} bytes behind data", size) for size in (1, 2, 255, 4096, LARGEST - 18)))
    def takes_data(self, size):
        peer = self.opened()
        peer.ping(say=lambda data: peer.say_data(data, size))
        self.goes_well(peer)

    def test_each_size_up_to_ninety(self):
        peer = self.opened()
        # More than a hundred PINGs at a time would be too many (S-7).
        for size in range(90):
            peer.ping(say=lambda data: peer.say_data(data, size))
        self.goes_well(peer)


class Limits(RecordCase):
    """tlsfuzzer: record-layer-limits. Sections 5.1, 5.2 and 5.4."""

    def test_largest_plain_record(self):
        peer = self.peer()
        size = LARGEST - len(peer.hello.write()) - 4
        peer.hello = peer.hello.but(extensions=[(12_000, bytes(size))] + peer.hello.extensions)
        self.assertEqual(len(peer.hello.write()), LARGEST)
        self.takes(peer)

    @each(
        ("a plain record one byte too long", 1), ("a plain record 256 bytes too long", EXPANSION),
        ("a plain record 2,048 bytes too long", 2048))
    def refuses_plain(self, more):
        peer = self.peer()
        peer.hello = peer.hello.but(extensions=[(12_000, bytes(LARGEST))] + peer.hello.extensions)
        peer.records.send_bytes(plain(HANDSHAKE, peer.hello.write()[:LARGEST + more]))
        self.refuses(peer, FAILED, "record_overflow")

    @each(("the longest first record there can be", 0xFFFF),
          ("a first record past all that encryption might add", 20_000))
    def refuses_announced(self, length):
        """By its header alone. Before the version is settled OpenSSL has to allow for what 1.2 might add."""
        peer = self.peer()
        peer.records.send_bytes(bytes([HANDSHAKE, 3, 1]) + length.to_bytes(2, "big") + peer.hello.write())
        self.refuses(peer, "not TLS", "record_overflow")

    @each(("all of it data", 0), ("half of it padding", LARGEST // 2), ("nearly all of it padding", LARGEST - 10))
    def takes_largest(self, padding):
        peer = self.opened()
        size = LARGEST - padding
        peer.say_data(frame(SKIPPED, bytes(size - 10)), padding)
        self.goes_well(peer)

    @each(
        ("a byte of data too much", LARGEST + 1), ("as much as fits into a record", LARGEST + EXPANSION - 17))
    def refuses_inner(self, size):
        """Section 5.1."""
        peer = self.opened()
        peer.say_data(frame(SKIPPED, bytes(size - 10)))
        self.breaks_off(peer, VIOLATION, "record_overflow")

    @each(
        ("a byte of padding too much", LARGEST, 1), ("nearly all of it padding, and a byte too much", 10, LARGEST - 9))
    def takes_padded(self, size, padding):
        """Section 5.4: content, type and padding are at most 2¹⁴ + 1 bytes. OpenSSL counts when the padding is off, so
        that a record may have as much more as section 5.2 leaves it, which is 239 bytes."""
        peer = self.opened()
        peer.say_data(frame(SKIPPED, bytes(size - 10)), padding)
        self.goes_well(peer)

    @each(("a protected record one byte too long", LARGEST + EXPANSION + 1), ("the longest protected record", 0xFFFF))
    def refuses_outer(self, length):
        """Section 5.2, by its header alone."""
        peer = self.opened()
        peer.records.send_bytes(bytes([DATA, 3, 3]) + length.to_bytes(2, "big"))
        self.breaks_off(peer, VIOLATION, "record_overflow")

    def test_too_long_before_finished(self):
        peer = self.asked()
        peer.records.send(HANDSHAKE, bytes([HandshakeType.certificate, 0, 0x3F, 0xFD]) + bytes(LARGEST - 3))
        self.refuses(peer, FAILED, "record_overflow")


class ContentTypes(RecordCase):
    """tlsfuzzer: zero-content-type, and its invalid-content-type, which is of 1.2."""

    @each(*((f"nothing but {count} zeros", count) for count in (1, 2, 16, 1000, LARGEST)))
    def refuses_zeros(self, count):
        """Section 5.4: a record without a type."""
        peer = self.opened()
        peer.records.send_bytes(peer.records.sending.seal(bytes(count)))
        self.breaks_off(peer, VIOLATION, "unexpected_message")

    def test_nothing_at_all(self):
        """Not even room for a type: OpenSSL finds the record too short, and does not tell that from a bad tag."""
        peer = self.opened()
        peer.records.send_bytes(peer.records.sending.seal(b""))
        self.breaks_off(peer, VIOLATION, "bad_record_mac")

    @each(*((f"type {kind} inside", kind) for kind in (1, 19, 24, 25, 26, 64, 255)))
    def refuses_inner(self, kind):
        """Section 5: unexpected_message. 24 is heartbeat, which OpenSSL 3 has not."""
        peer = self.opened()
        peer.records.send(kind, b"\1\0\1" + bytes(20))
        self.breaks_off(peer, VIOLATION, "unexpected_message")

    @each(*((f"type {kind} inside, in the handshake", kind) for kind in (1, 24, 255)))
    def refuses_inner_early(self, kind):
        peer = self.asked()
        peer.records.send(kind, bytes(20))
        self.refuses(peer, FAILED, "unexpected_message")

    def test_change_cipher_spec_inside(self):
        """Section 5: never protected."""
        peer = self.asked()
        peer.records.send(CHANGE_CIPHER_SPEC, b"\1")
        self.refuses(peer, FAILED, "unexpected_message")

    @each(*((f"type {kind} outside", kind) for kind in (0, CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, 24, 255)))
    def refuses_outer(self, kind):
        """Section 5.2: a protected record says 23."""
        peer = self.opened()
        peer.records.send_bytes(peer.records.sending.seal(frame(PING, bytes(8)) + bytes([DATA]), outer=kind))
        self.breaks_off(peer, VIOLATION, "unexpected_message")

    @each(*((f"type {kind} first", kind, alert, code) for kind, alert, code in (
        (0, "unexpected_message", FAILED), (DATA, "unexpected_message", FAILED), (24, "unexpected_message", FAILED),
        (255, "unexpected_message", FAILED))))
    def refuses_first(self, kind, alert, code):
        peer = self.peer()
        peer.records.send_bytes(plain(kind, peer.hello.write()))
        self.refuses(peer, code, alert)


class Empty(RecordCase):
    """tlsfuzzer: zero-length-data, empty-alert."""

    @each(*((f"{count} in a row", count) for count in (1, 2, 30)))
    def takes_empty_data(self, count):
        """Section 5.1: as much as anybody likes; OpenSSL likes 32 of them."""
        peer = self.opened()
        for _ in range(count):
            peer.say_data(b"")
        self.goes_well(peer)

    def test_empty_data_between_bytes(self):
        peer = self.opened()
        for byte in frame(PING, b"a" * 8):
            peer.say_data(b"")
            peer.say_data(bytes([byte]), padding=100)
        self.assertEqual(peer.hear_frame(), (PING, 1, 0, b"a" * 8))
        self.goes_well(peer)

    def test_empty_data_without_end(self):
        peer = self.opened()
        for _ in range(200):
            peer.say_data(b"")
        self.breaks_off(peer, VIOLATION, "unexpected_message")

    @each(("no data in the handshake", 0), ("no data in the handshake, with padding", 500))
    def refuses_empty_data_early(self, padding):
        """Between the handshake's messages."""
        peer = self.asked()
        peer.say(peer.certificate())
        peer.say_data(b"", padding)
        self.refuses(peer, FAILED, "unexpected_message")

    @each(("an empty handshake record", 0), ("an empty handshake record with padding", 500))
    def refuses_empty_handshake(self, padding):
        """Section 5.1: not even with padding."""
        peer = self.asked()
        peer.records.send(HANDSHAKE, b"", padding)
        self.refuses(peer, FAILED, "unexpected_message")

    @each(("an empty alert in the handshake", False), ("an empty alert after it", True))
    def refuses_empty_alert(self, opened):
        peer = self.opened() if opened else self.asked()
        peer.records.send(ALERT, b"")
        (self.breaks_off if opened else self.refuses)(peer, VIOLATION if opened else FAILED, "unexpected_message")

    @each(*((f"an empty record of type {kind} first", kind) for kind in (ALERT, DATA)))
    def refuses_empty_first(self, kind):
        peer = self.peer()
        peer.records.send_bytes(plain(kind, b""))
        self.refuses(peer, FAILED, "unexpected_message")

    def test_empty_handshake_record_first(self):
        """Section 5.1 forbids those to a sender; before there are keys OpenSSL passes over up to 32."""
        peer = self.peer()
        peer.records.send_bytes(plain(HANDSHAKE, b""))
        self.takes(peer)

    def test_empty_handshake_records_without_end(self):
        peer = self.peer()
        peer.records.send_bytes(plain(HANDSHAKE, b"") * 100)
        self.refuses(peer, FAILED, "unexpected_message")


class ChangeCipherSpec(RecordCase):
    """tlsfuzzer: ccs, multiple-ccs-messages. Section 5 and appendix D.4: one byte, 1, may come between the first
    ClientHello and the client's Finished, and is dropped."""

    def say(self, peer, body=b"\1"):
        peer.records.send_bytes(plain(CHANGE_CIPHER_SPEC, body))

    @each(("once", 1), ("twice", 2), ("thirty times", 30))
    def takes_some(self, count):
        peer = self.peer()
        peer.say_hello()
        for _ in range(count):
            self.say(peer)
        peer.hear_hello()
        peer.hear_flight()
        for one in (peer.certificate, peer.certificate_verify):
            self.say(peer)
            peer.say(one())
        self.say(peer)
        peer.say_finished()
        # The listener's own, for the middleboxes.
        self.assertEqual(peer.compatibility, 1)
        self.has_taken(peer)

    def test_without_a_session_id(self):
        """Nobody has asked for the listener's own then; it sends it all the same, which it may."""
        peer = self.peer()
        self.takes(peer, peer.hello.but(session=b""))

    # Section 5 wants unexpected_message; OpenSSL says illegal_parameter.
    @each(("of no bytes", b""), ("of two", b"\1\1"), ("that says 0", b"\0"), ("that says 2", b"\2"))
    def refuses_body(self, body):
        peer = self.asked()
        self.say(peer, body)
        self.refuses(peer, FAILED, "illegal_parameter")

    @each(("of no bytes, at once", b""), ("of two, at once", b"\1\1"), ("that says 2, at once", b"\2"))
    def refuses_body_after_hello(self, body):
        peer = self.peer()
        peer.say_hello()
        self.say(peer, body)
        peer.hear_hello()
        peer.hear_flight()
        self.refuses(peer, FAILED, "illegal_parameter")

    def test_first_of_all(self):
        peer = self.peer()
        self.say(peer)
        self.refuses(peer, FAILED, "unexpected_message")

    def test_after_finished(self):
        peer = self.opened()
        self.say(peer)
        self.breaks_off(peer, VIOLATION, "unexpected_message")

    def test_within_a_message(self):
        """Section 5 has it dropped at any time, and section 5.1 nothing between a message's pieces: OpenSSL drops it."""
        peer = self.asked()
        certificate = peer.certificate()
        peer.transcript += certificate
        peer.records.send(HANDSHAKE, certificate[:100])
        self.say(peer)
        peer.records.send(HANDSHAKE, certificate[100:])
        peer.say(peer.certificate_verify())
        peer.say_finished()
        self.has_taken(peer)


class Protection(RecordCase):
    """tlsfuzzer: symetric-ciphers, and its fuzzed-ciphertext, fuzzed-MAC and aes-gcm-nonces, which are of 1.2."""

    SUITES = {"AES-128-GCM": 0x1301, "AES-256-GCM": 0x1302, "ChaCha20-Poly1305": 0x1303}

    @each(*((f"{name}: {what}", suite, change) for name, suite in SUITES.items() for what, change in (
        ("first byte changed", lambda record: changed(record, 5)),
        ("last byte changed", lambda record: changed(record, -1)),
        ("first byte of the tag changed", lambda record: changed(record, -16)),
        ("a tag of zeros", lambda record: record[:-16] + bytes(16)))))
    def refuses_changed(self, suite, change):
        peer = self.peer()
        peer.handshake(peer.hello.but(suites=(suite,)))
        self.opens(peer)
        peer.records.send_bytes(change(peer.records.sending.seal(frame(PING, bytes(8)) + bytes([DATA]))))
        self.breaks_off(peer, VIOLATION, "bad_record_mac")

    @each(
        ("without its tag", lambda content: content[:-16]), ("shorter than a tag", lambda content: content[:15]),
        ("with a byte behind it", lambda content: content + b"\0"),
        ("of random bytes", lambda content: secrets.token_bytes(50)))
    def refuses_length(self, change):
        peer = self.opened()
        sealed = change(peer.records.sending.seal(frame(PING, bytes(8)) + bytes([DATA]))[5:])
        peer.records.send_bytes(plain(DATA, sealed))
        self.breaks_off(peer, VIOLATION, "bad_record_mac")

    def test_record_of_no_bytes(self):
        peer = self.opened()
        peer.records.send_bytes(plain(DATA, b""))
        self.breaks_off(peer, VIOLATION, "bad_record_mac")

    @each(
        ("a record twice", lambda first, second: [first, first]),
        ("the second before the first", lambda first, second: [second, first]),
        ("the first left out", lambda first, second: [second]))
    def refuses_order(self, order):
        """Section 5.3: each record's number is in its protection."""
        peer = self.opened()
        records = [peer.records.sending.seal(frame(SKIPPED, bytes(8)) + bytes([DATA])) for _ in range(2)]
        peer.records.send_bytes(b"".join(order(*records)))
        self.breaks_off(peer, VIOLATION, "bad_record_mac")

    @each(("1.0", 0x0301), ("1.3", 0x0304))
    def refuses_version(self, version):
        """Section 5.1 has it ignored; once 1.3 is agreed on, OpenSSL knows one."""
        peer = self.opened()
        peer.records.send(DATA, frame(PING, bytes(8)), version=version)
        self.breaks_off(peer, VIOLATION, "decode_error")

    def test_in_the_handshake(self):
        peer = self.asked()
        peer.records.send_bytes(changed(peer.records.sending.seal(peer.certificate() + bytes([HANDSHAKE])), -1))
        self.refuses(peer, FAILED, "bad_record_mac")

    def test_data_unencrypted(self):
        peer = self.opened()
        peer.records.send_bytes(plain(DATA, frame(PING, bytes(8))))
        self.breaks_off(peer, VIOLATION, "bad_record_mac")

    def test_reflected(self):
        """The listener's own record, sent back to it: each direction has a key of its own."""
        peer = self.opened()
        peer.say_data(frame(PING, bytes(8)))
        header = peer.records.exactly(5)
        body = peer.records.exactly(int.from_bytes(header[3:], "big"))
        self.assertEqual(peer.records.receiving.open(header, body)[0], DATA)
        peer.records.send_bytes(header + body)
        self.breaks_off(peer, VIOLATION, "bad_record_mac")


def changed(record, place):
    record = bytearray(record)
    record[place] ^= 1
    return bytes(record)


class Pieces(RecordCase):
    """How bytes and messages are cut up changes nothing (section 5.1)."""

    def test_byte_by_byte(self):
        """Each in a segment of its own, as far as the network lets it."""
        peer = self.peer()
        send = peer.records.send_bytes
        peer.records.send_bytes = lambda data: [send(data[place:place + 1]) for place in range(len(data))]
        self.takes(peer)

    @each(("of one byte", 1), ("of three", 3), ("of a hundred", 100))
    def takes_records(self, size):
        peer = self.peer()
        whole = peer.hello.write()
        peer.transcript = whole
        for start in range(0, len(whole), size):
            peer.records.send(HANDSHAKE, whole[start:start + size])
        self.goes_on_in_pieces(peer, size)

    def goes_on_in_pieces(self, peer, size):
        peer.hear_hello()
        peer.hear_flight()
        for one in (peer.certificate, peer.certificate_verify, peer.finished):
            whole = one()
            peer.transcript += whole
            for start in range(0, len(whole), size):
                peer.records.send(HANDSHAKE, whole[start:start + size])
        peer.use_application_keys()
        self.has_taken(peer)

    @each(("data", DATA, b"?"), ("no data", DATA, b""), ("an alert of no bytes", ALERT, b""))
    def refuses_between(self, kind, content):
        """Section 5.1: no record of another type between a message's pieces."""
        peer = self.asked()
        certificate = peer.certificate()
        peer.records.send(HANDSHAKE, certificate[:100])
        peer.records.send(kind, content)
        self.refuses(peer, FAILED, "unexpected_message")

    def test_hello_with_more_behind_it(self):
        """What comes behind a ClientHello in its record would be under other keys."""
        peer = self.peer()
        peer.records.send_bytes(plain(HANDSHAKE, peer.hello.write() + message(HandshakeType.finished, bytes(32))))
        self.refuses(peer, FAILED, "unexpected_message")

    def test_opening_in_records_of_one_byte(self):
        peer = self.peer()
        peer.handshake()
        for byte in PREFACE + frame(SETTINGS):
            peer.say_data(bytes([byte]))
        peer.hear_opening()
        self.assertEqual(self.listener.hears(peer.address)[0], "accepted")
        self.goes_well(peer)
