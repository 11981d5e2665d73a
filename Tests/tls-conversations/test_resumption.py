"""Sessions are not resumed and there is no early data (RFC 8446, sections 2.2, 2.3, 4.2.9 to 4.2.11): the listener looks at
every host's certificate, every time. Who tries gets a whole handshake."""

import secrets

from tlslite.constants import ExtensionType, HandshakeType

from hello import message, shares, vector
from keys import KeySchedule
from listener import ListenerCase, each
from records import DATA, LARGEST, SUITES, TrafficKey, plain

FAILED = "handshake failed"
DHE, PLAIN = 1, 0


def modes(*values):
    return ExtensionType.psk_key_exchange_modes, vector(bytes(values), 1)


def ticket(identity=None, binder=None, age=1000, identities=1, binders=1):
    """pre_shared_key, of a session that never was."""
    one = vector(identity if identity is not None else secrets.token_bytes(192), 2) + age.to_bytes(4, "big")
    proof = vector(binder if binder is not None else secrets.token_bytes(32), 1)
    return ExtensionType.pre_shared_key, vector(one * identities, 2) + vector(proof * binders, 2)


class ResumptionCase(ListenerCase):
    def takes_whole(self, hello, peer=None):
        """As if nothing had been offered: no pre_shared_key in the answer, and certificates."""
        peer = peer or self.peer()
        peer.until_flight(hello(peer.hello) if callable(hello) else hello)
        self.assertIsNone(peer.answer.getExtension(ExtensionType.pre_shared_key))
        self.assertIsNone(peer.extensions.getExtension(ExtensionType.early_data))
        self.assertIsNotNone(peer.request)
        peer.say_certificates()
        peer.say_finished()
        self.has_taken(peer)
        self.assertEqual(peer.tickets, 0)


class Tickets(ResumptionCase):
    """tlsfuzzer: count-tickets, session-resumption."""

    @each(
        ("none for who offers nothing", lambda hello: hello),
        ("none for who could resume", lambda hello: hello.with_extension(*modes(DHE))),
        ("none for who could resume without a key exchange", lambda hello: hello.with_extension(*modes(DHE, PLAIN))),
        ("none for who asks as in 1.2", lambda hello: hello.with_extension(ExtensionType.session_ticket, b"")),
        ("none for who has one of 1.2",
         lambda hello: hello.with_extension(ExtensionType.session_ticket, secrets.token_bytes(200))))
    def gives_none(self, change):
        self.takes_whole(change)

    def test_session_id_of_an_earlier_connection(self):
        first = self.peer()
        self.takes(first)
        self.takes_whole(lambda hello: hello.but(session=first.hello.session))

    def test_secrets_of_an_earlier_connection(self):
        """As if there had been a ticket: with the right binder for a secret that both sides have had."""
        first = self.peer()
        self.takes(first)

        def resumed(hello):
            hello = hello.with_extension(*modes(DHE)).with_extension(*ticket(identity=first.hello.session))
            suite = SUITES[0x1301]
            schedule = KeySchedule(suite, bytearray(32))
            early = schedule.extract(bytearray(32), bytearray(first.secrets[0]))
            binder_key = schedule.derive(early, b"res binder", b"")
            without_binders = hello.write()[:-(2 + 1 + 32)]
            return hello.with_extension(
                *ticket(identity=first.hello.session, binder=schedule.finished(binder_key, without_binders)))

        self.takes_whole(resumed)


class SharedKeys(ResumptionCase):
    """tlsfuzzer: psk_dhe_ke, psk_ke. The listener has no shared key of anybody's."""

    @each(
        ("a key with a key exchange", [DHE], {}), ("a key alone", [PLAIN], {}), ("a key either way", [PLAIN, DHE], {}),
        ("modes that nobody knows", [2, 254, 255], {}),
        ("an external key's name", [DHE], {"identity": b"Client_identity"}),
        ("a name of one byte", [DHE], {"identity": b"?"}), ("a name of 16 KiB", [DHE], {"identity": bytes(LARGEST)}),
        ("ten of them", [DHE], {"identities": 10, "binders": 10}),
        ("a binder of SHA-384", [DHE], {"binder": bytes(48)}), ("an age of 0", [DHE], {"age": 0}), ("an age of 49 days", [DHE], {"age": (1 << 32) - 1}))
    def takes_offer(self, kinds, changed):
        self.takes_whole(lambda hello: hello.with_extension(*modes(*kinds)).with_extension(*ticket(**changed)))

    def test_key_that_HelloRetryRequest_comes_between(self):
        peer = self.peer()
        self.takes_whole(
            peer.hello.with_extension(*shares()).with_extension(*modes(DHE)).with_extension(*ticket()), peer)
        self.assertTrue(peer.retried)

    def test_without_a_key_share(self):
        """psk_ke needs none; whoever has no key for it gets to hear so."""
        self.refuses_hello(
            lambda hello: hello.without(ExtensionType.key_share, ExtensionType.supported_groups).with_extension(
                *modes(PLAIN)).with_extension(*ticket()), "missing_extension")

    def test_without_modes(self):
        """Section 4.2.9."""
        self.refuses_hello(lambda hello: hello.with_extension(*ticket()), "missing_extension")

    def test_not_last(self):
        """Section 4.2.11."""
        self.refuses_hello(
            lambda hello: hello.with_extension(*modes(DHE)).with_extension(*ticket()).with_extension(12_000, b""),
            "illegal_parameter")

    # Where no name is known OpenSSL does not go on to the binders, which prove one; section 4.2.11 has it look at those of
    # the key that it selects. What is left is a whole handshake, as for any other name.
    @each(
        ("no binders", ticket(binders=0)), ("fewer binders than names", ticket(identities=3)),
        ("more binders than names", ticket(binders=3)), ("a binder of one byte", ticket(binder=b"?")),
        ("a byte behind the binders", (ExtensionType.pre_shared_key, ticket()[1] + b"\0")),
        ("binders that end early", (ExtensionType.pre_shared_key, ticket()[1][:-1])),
        ("no names", ticket(identities=0)))
    def takes_shape(self, key):
        self.takes_whole(lambda hello: hello.with_extension(*modes(DHE)).with_extension(*key))

    @each(
        ("no modes", modes(), ticket()), ("modes of no bytes", (ExtensionType.psk_key_exchange_modes, b""), ticket()),
        ("modes with a byte behind", (ExtensionType.psk_key_exchange_modes, b"\1\1\0"), ticket()),
        ("no bytes", modes(DHE), (ExtensionType.pre_shared_key, b"")),
        ("a name without an age", modes(DHE), (ExtensionType.pre_shared_key, vector(vector(b"?", 2), 2) + vector(
            vector(bytes(32), 1), 2))))
    def refuses_shape(self, modes, key):
        self.refuses_hello(lambda hello: hello.with_extension(*modes).with_extension(*key), "decode_error")


class EarlyData(ResumptionCase):
    """tlsfuzzer: 0rtt-garbage. Section 4.2.10: a server that takes no early data passes over it, up to what it would have
    taken, and goes on."""

    def offered(self, peer, retried=False):
        hello = peer.hello.with_extension(ExtensionType.early_data, b"").with_extension(*modes(DHE)).with_extension(
            *ticket())
        return hello.with_extension(*shares()) if retried else hello

    def say(self, peer, *contents):
        for content in contents:
            peer.records.send_bytes(plain(DATA, content))

    def goes_on_whole(self, peer):
        peer.hear_hello()
        if peer.retried:
            # Section 4.1.2: the second one has it no more.
            peer.say_hello(peer.second_hello().without(ExtensionType.early_data))
            peer.hear_hello()
        peer.hear_flight()
        self.assertIsNone(peer.extensions.getExtension(ExtensionType.early_data))
        peer.say_certificates()
        peer.say_finished()
        self.has_taken(peer)

    @each(*((f"{name}, {what}", sizes, retried) for what, retried in (("at once", False), ("asked for a share", True))
          for name, sizes in (("none sent", []), ("one record", [100]), ("ten records", [1000] * 10),
                              ("a record of 16 KiB", [LARGEST - 100]))))
    def passes_over(self, sizes, retried):
        peer = self.peer()
        peer.say_hello(self.offered(peer, retried))
        self.say(peer, *map(secrets.token_bytes, sizes))
        self.goes_on_whole(peer)

    def test_under_a_real_key(self):
        peer = self.peer()
        peer.say_hello(self.offered(peer))
        key = TrafficKey(SUITES[0x1301], bytearray(secrets.token_bytes(32)))
        for _ in range(5):
            peer.records.send_bytes(key.seal(b"GET / HTTP/1.0\r\n\r\n" + bytes([DATA])))
        self.goes_on_whole(peer)

    @each(*((f"too much, in records of {size:,}", size) for size in (1000, LARGEST)))
    def refuses_too_much(self, size):
        peer = self.peer()
        peer.say_hello(self.offered(peer))
        peer.hear_hello()
        peer.hear_flight()
        self.say(peer, *[secrets.token_bytes(size)] * (3 + 2 * LARGEST // size))
        self.refuses(peer, FAILED, "unexpected_message")

    def test_not_announced(self):
        peer = self.peer()
        peer.say_hello()
        peer.hear_hello()
        peer.hear_flight()
        self.say(peer, secrets.token_bytes(100))
        self.refuses(peer, FAILED, "bad_record_mac")

    def test_after_the_clients_second_flight_has_begun(self):
        """What is passed over ends with the first record that decrypts."""
        peer = self.peer()
        peer.until_flight(self.offered(peer))
        peer.say(peer.certificate())
        self.say(peer, secrets.token_bytes(100))
        self.refuses(peer, FAILED, "bad_record_mac")

    def test_end_of_what_was_not_taken(self):
        """Section 4.5: EndOfEarlyData is sent only where early data was taken."""
        peer = self.peer()
        peer.until_flight(self.offered(peer))
        peer.say(message(HandshakeType.end_of_early_data, b""))
        self.refuses(peer, FAILED, "unexpected_message")

    def test_without_a_key(self):
        """Section 4.2.10 forbids a client to offer it so; a server need not look."""
        peer = self.peer()
        peer.say_hello(peer.hello.with_extension(ExtensionType.early_data, b""))
        self.say(peer, secrets.token_bytes(100))
        self.goes_on_whole(peer)

    def test_with_a_body(self):
        self.refuses_hello(lambda hello: hello.with_extension(ExtensionType.early_data, b"\0"), "decode_error")
