"""Conversations in which all is well, and what the listener says in them."""

from tlslite.constants import ExtensionType

from conversation import frame
from hello import protocols
from keys import GROUPS
from listener import ListenerCase, each
from records import LARGEST

SUITES = {"AES-128-GCM": 0x1301, "AES-256-GCM": 0x1302, "ChaCha20-Poly1305": 0x1303}


class Conversation(ListenerCase):
    """tlsfuzzer: conversation, symetric-ciphers, ecdsa-support."""

    @each(*((f"with {name}", suite) for name, suite in SUITES.items()))
    def goes_well(self, suite):
        peer = self.peer()
        peer.handshake(peer.hello.but(suites=(suite,)))
        self.assertEqual(peer.suite.number, suite)
        self.opens(peer)
        for size in (11, 100, LARGEST):
            peer.say_data(frame(0xEE, bytes(size - 10)))
        for number in range(20):
            peer.ping(number.to_bytes(8, "big"))
        self.leaves(peer)

    @each(*((f"with {name} and {group}", suite, group) for name, suite in SUITES.items() for group in (
        "secp256r1", "secp384r1", "x448", "ffdhe2048")))
    def takes_pair(self, suite, group):
        peer = self.peer(group=group)
        self.takes(peer, peer.hello.but(suites=(suite,)))

    def test_many_at_once(self):
        peers = [self.peer() for _ in range(10)]
        for step in ("say_hello", "hear_hello", "hear_flight", "say_certificates", "say_finished"):
            for peer in peers:
                getattr(peer, step)()
        for peer in peers:
            self.opens(peer)
        for peer in peers[::-1]:
            self.leaves(peer)

    def test_opening_of_the_listener_does_not_wait_for_ours(self):
        """Protocol/SPEC.md, P-1."""
        peer = self.peer()
        peer.handshake()
        peer.hear_opening()
        peer.records.finish_sending()
        self.ends(peer, "refused", "truncated", None)


class Answers(ListenerCase):
    """What the listener says, beyond what every handshake here checks of it: signature, Finished, versions, session id."""

    def test_only_what_was_offered(self):
        """Section 4.2: no extension that was not asked for, and each in its own message."""
        peer = self.peer()
        peer.until_flight(peer.hello.with_extension(*protocols("salvor-enrol/1", "h2", "salvor/1")))
        self.assertEqual(
            {extension.extType for extension in peer.answer.extensions},
            {ExtensionType.supported_versions, ExtensionType.key_share})
        self.assertEqual(peer.answer.compression_method, 0)
        self.assertLessEqual(
            {extension.extType for extension in peer.extensions.extensions},
            {ExtensionType.alpn, ExtensionType.supported_groups})
        self.assertEqual(
            [bytes(name) for name in peer.extensions.getExtension(ExtensionType.alpn).protocol_names], [b"salvor/1"])
        self.assertEqual(
            [bytes(certificate.bytes) for certificate in peer.server_chain.x509List][1:], [self.host.chain[1]])
        peer.say_certificates()
        peer.say_finished()
        self.has_taken(peer)

    @each(*((f"in {group}", group) for group in ("x25519", "secp256r1", "secp384r1", "x448", "ffdhe2048")))
    def never_says_twice(self, group):
        """tlsfuzzer: serverhello-random. Randoms, shares and keys are new each time, and the random has no sign of a
        downgrade (section 4.1.3)."""
        randoms, public, share = set(), set(), None
        for _ in range(20):
            peer = self.peer(group=group, share=share)
            share = peer.shares[GROUPS[group]]
            peer.say_hello()
            peer.hear_hello()
            randoms.add(bytes(peer.answer.random))
            public.add(bytes(peer.answer.getExtension(ExtensionType.key_share).server_share.key_exchange))
            peer.hear_flight()
            peer.records.finish_sending()
            self.refuses(peer, "handshake failed", None)
        self.assertEqual((len(randoms), len(public)), (20, 20))
        self.assertFalse([random for random in randoms if random[24:31] == b"DOWNGRD"])
        self.assertFalse([random for random in randoms if random.count(random[:1]) > 16])
