"""Messages in which bytes were changed, left out or put in at random: whatever the listener makes of them, it ends the
connection, says so on both sides, and serves the next one. The seed and the number in a failure's name reproduce it."""

import os
import random

from tlslite.constants import HandshakeType

from hello import CLIENT_HELLO, message, shares
from listener import ListenerCase, each
from records import HANDSHAKE, plain

SEED = int(os.environ.get("SALVOR_MUTATION_SEED", "1"))
ROUNDS = int(os.environ.get("SALVOR_MUTATIONS", "100"))


def mutated(data, chance):
    """One to four changes."""
    data = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            data[place:place + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            del data[place:place + chance.choice((1, 1, 2, 8, 32))]
        elif kind == 2:
            data[place:place] = chance.randbytes(chance.choice((1, 1, 2, 8, 300)))
        else:
            # Lengths and counts are where the extremes matter.
            data[place:place + 2] = chance.choice((b"\0\0", b"\0\1", b"\xff\xff", b"\x7f\xff", b"\x80\0"))
    return bytes(data)


class Mutations(ListenerCase):
    """tlsfuzzer has such scripts for 1.2 alone: fuzzed-ciphertext and its like."""

    def survives(self, name, say):
        """`say` does its part with a peer, and with the chance that it takes."""
        for number in range(ROUNDS):
            with self.subTest(f"seed {SEED}, {name} {number}"):
                peer = self.peer()
                say(peer, random.Random(f"{SEED} {name} {number}"))
                # It may be a message that is good, or that is waited for the rest of: then this is its end.
                peer.records.finish_sending()
                peer.hear_end()
                peer.close()
                event, text = self.listener.hears(peer.address)
                self.assertEqual(event, "refused", text)

    @each(
        ("hello", lambda peer, chance: plain(HANDSHAKE, message(CLIENT_HELLO, mutated(peer.hello.body(), chance)))),
        ("hello with its header", lambda peer, chance: plain(HANDSHAKE, mutated(peer.hello.write(), chance))),
        ("hello with its record", lambda peer, chance: mutated(plain(HANDSHAKE, peer.hello.write()), chance)))
    def hello(self, record):
        self.survives("hello", lambda peer, chance: peer.records.send_bytes(record(peer, chance)))

    def test_second_hello(self):
        def say(peer, chance):
            peer.say_hello(peer.hello.with_extension(*shares()))
            peer.hear_hello()
            peer.say(message(CLIENT_HELLO, mutated(peer.second_hello().body(), chance)))
        self.survives("second hello", say)

    @each(
        ("certificate", lambda peer, chance: message(
            HandshakeType.certificate, mutated(peer.certificate()[4:], chance))),
        ("certificate with its header", lambda peer, chance: mutated(peer.certificate(), chance)),
        ("certificate in DER", lambda peer, chance: peer.certificate(
            (mutated(peer.identity.chain[0], chance), peer.identity.chain[1]))))
    def certificate(self, change):
        def say(peer, chance):
            peer.until_flight()
            peer.say(change(peer, chance))
            peer.say(peer.certificate_verify())
            peer.say_finished()
        self.survives("certificate", say)

    def test_certificate_verify(self):
        def say(peer, chance):
            peer.until_flight()
            peer.say(peer.certificate())
            peer.say(mutated(peer.certificate_verify(), chance))
            peer.say_finished()
        self.survives("certificate verify", say)
