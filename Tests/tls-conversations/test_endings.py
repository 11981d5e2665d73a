"""How a conversation ends before its time: the peer goes, says an alert, or says nothing more."""

import contextlib
import socket
import struct

from tlslite.constants import AlertDescription

from conversation import PREFACE, SETTINGS, frame
from listener import ListenerCase, each
from records import ALERT, DATA, HANDSHAKE, Closed, plain

FAILED, VIOLATION, REFUSED = "handshake failed", "protocol violation", "refused by peer"


def connected(peer):
    """Nothing said."""


def half_a_header(peer):
    peer.records.send_bytes(plain(HANDSHAKE, peer.hello.write())[:3])


def half_a_hello(peer):
    peer.records.send_bytes(plain(HANDSHAKE, peer.hello.write())[:60])


def hello_said(peer):
    peer.say_hello()
    peer.hear_hello()
    peer.hear_flight()


def half_a_certificate(peer):
    hello_said(peer)
    peer.records.send(HANDSHAKE, peer.certificate()[:100])


def certificate_said(peer):
    hello_said(peer)
    peer.say(peer.certificate())


def all_but_finished(peer):
    certificate_said(peer)
    peer.say(peer.certificate_verify())


def finished_said(peer):
    """TLS stands; the wire's preface is missing."""
    all_but_finished(peer)
    peer.say_finished()
    peer.hear_opening()


def half_a_preface(peer):
    finished_said(peer)
    peer.say_data(PREFACE[:4])


STAGES = [
    connected, half_a_header, half_a_hello, hello_said, half_a_certificate, certificate_said, all_but_finished]
LATE = [finished_said, half_a_preface]


def named(stages, *more):
    return [(stage.__name__.replace("_", " "), stage, *more) for stage in stages]


class Aborts(ListenerCase):
    """tlsfuzzer: connection-abort."""

    @each(*((f"{name}, then the end", stage, code) for name, stage, code in [
        *named(STAGES, FAILED), *named(LATE, "truncated")]))
    def notices_end(self, stage, code):
        """The peer closes its direction: the listener closes the other, with nothing to say."""
        peer = self.peer()
        stage(peer)
        peer.records.finish_sending()
        self.ends(peer, "refused", code, None)

    @each(*((f"{name}, then a reset", stage) for name, stage in named(STAGES + LATE)))
    def notices_reset(self, stage):
        """As when a machine is gone, and another has its address."""
        peer = self.peer()
        stage(peer)
        # To close so sends a reset.
        peer.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        # A connection that is gone before the listener has looked at it has no address any more.
        event, text = self.listener.hears(peer.address, "unknown")
        self.assertEqual((event, text.split(":")[0]), ("refused", "connection lost"), text)

    @each(
        ("taken, then the end", lambda peer: peer.records.finish_sending(), "truncated", None),
        ("taken, then half a record", lambda peer: (
            peer.records.send_bytes(peer.records.sending.seal(bytes(100) + bytes([DATA]))[:50]),
            peer.records.finish_sending()), "truncated", None),
        ("taken, then close_notify without a GOAWAY", lambda peer: peer.say_alert("close_notify", 1), "connection lost",
         "close_notify"))
    def notices_late_end(self, end, code, alert):
        """An end that nobody has announced is no orderly one: what came last may be incomplete."""
        peer = self.peer()
        peer.handshake()
        self.opens(peer)
        end(peer)
        self.ends(peer, "ended", code, alert)

    def test_data_after_close_notify(self):
        """Section 6.1: it is not looked at."""
        peer = self.peer()
        peer.handshake()
        self.opens(peer)
        peer.say_alert("close_notify", 1)
        peer.say_data(frame(0xEE, bytes(100)))
        self.ends(peer, "ended", "connection lost", "close_notify")


class Alerts(ListenerCase):
    """tlsfuzzer: unencrypted-alert, and what any peer may say at any time (section 6)."""

    @each(*((f"{name} {when}", getattr(AlertDescription, name), code, stage) for name, code in (
        ("handshake_failure", REFUSED), ("bad_certificate", REFUSED), ("unknown_ca", REFUSED),
        ("decrypt_error", REFUSED), ("internal_error", REFUSED), ("protocol_version", "TLS version"))
        for when, stage in (
            ("after the listener's flight", hello_said), ("after our certificate", certificate_said),
            ("after Finished", finished_said))))
    def heeds_fatal(self, number, code, stage):
        """It ends the connection, and nothing is answered."""
        peer = self.peer()
        stage(peer)
        peer.records.send(ALERT, bytes([2, number]))
        self.ends(peer, "refused", code, None)

    def test_first_of_all(self):
        """Before a ClientHello there is nothing to end."""
        peer = self.peer()
        peer.say_alert("handshake_failure")
        self.refuses(peer, FAILED, "unexpected_message")

    def test_of_an_unknown_number(self):
        """Section 6: all of those are errors."""
        peer = self.peer()
        hello_said(peer)
        peer.records.send(ALERT, b"\2\xc8")
        self.refuses(peer, REFUSED, None)

    def test_unencrypted_before_we_have_sent_any_encrypted(self):
        """A client that cannot read the listener's flight has no key to say so with."""
        peer = self.peer()
        hello_said(peer)
        peer.records.send_bytes(plain(ALERT, bytes([2, AlertDescription.decode_error])))
        self.refuses(peer, REFUSED, None)

    @each(*((f"unencrypted {name} after our certificate", level, getattr(AlertDescription, name)) for level, name in (
        (2, "handshake_failure"), (1, "close_notify"), (1, "user_canceled"))))
    def does_not_believe_early(self, level, number):
        """From the first encrypted record on: anybody could have sent it."""
        peer = self.peer()
        certificate_said(peer)
        peer.records.send_bytes(plain(ALERT, bytes([level, number])))
        self.refuses(peer, FAILED, "unexpected_message")

    @each(*((f"unencrypted {name} after it was taken", level, getattr(AlertDescription, name)) for level, name in (
        (2, "handshake_failure"), (1, "close_notify"), (1, "user_canceled"))))
    def does_not_believe(self, level, number):
        """Nobody can end a connection, or make it look ended, who has not its keys."""
        peer = self.peer()
        peer.handshake()
        self.opens(peer)
        peer.records.send_bytes(plain(ALERT, bytes([level, number])))
        self.ends(peer, "ended", VIOLATION, "unexpected_message")

    @each(*((f"{name} of {count} bytes", stage, count) for name, stage in (
        ("an alert first of all", connected), ("an alert after the listener's flight", hello_said),
        ("an alert after our certificate", certificate_said)) for count in (1, 3, 100)))
    def refuses_size(self, stage, count):
        """Section 5.1: an alert is one whole record. decode_error would do; OpenSSL says unexpected_message."""
        peer = self.peer()
        stage(peer)
        peer.records.send(ALERT, b"\2" * count)
        self.refuses(peer, FAILED, "unexpected_message")

    @each(("of a level that nobody knows", b"\3\x28"), ("of level 0", b"\0\x28"), ("as a warning", b"\1\x28"))
    def heeds_level(self, alert):
        """Section 6: what the alert says counts, whatever its level."""
        peer = self.peer()
        hello_said(peer)
        peer.records.send(ALERT, alert)
        self.refuses(peer, REFUSED, None)

    def test_user_canceled_and_close_notify(self):
        """Section 6.1: the one is followed by the other."""
        peer = self.peer()
        all_but_finished(peer)
        peer.say_alert("user_canceled", 1)
        peer.say_alert("close_notify", 1)
        self.refuses(peer, FAILED, None)

    def test_warnings_without_end(self):
        peer = self.peer()
        hello_said(peer)
        for _ in range(100):
            peer.say_alert("user_canceled", 1)
        self.refuses(peer, FAILED, "unexpected_message")


class NotTLS(ListenerCase):
    """Whoever else dials the port."""

    @each(
        ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), ("a request to a proxy", b"CONNECT x:443 HTTP/1.1\r\n\r\n"),
        ("SSH", b"SSH-2.0-OpenSSH_9.2p1\r\n"), ("the wire without TLS", PREFACE + frame(SETTINGS)),
        ("zeros", bytes(100)), ("ones", b"\xff" * 100), ("RDP", bytes.fromhex("030000130ee000000000000100080003000000")))
    def refuses_bytes(self, data):
        peer = self.peer()
        peer.records.send_bytes(data)
        peer.records.finish_sending()
        self.refuses(peer, "not TLS", None)


class Silence(ListenerCase):
    """A peer that stays, and says no more, has the time that the endpoint gives it. The listener hangs up; no RFC has an
    alert for that."""

    # Long enough for a good handshake on a busy machine.
    options = ("--handshake-milliseconds", "1500")

    def test_at_every_stage(self):
        peers = {}
        for stage in STAGES:
            peers[stage.__name__] = peer = self.peer()
            # One that does not get so far in that time has been hung up on before.
            with contextlib.suppress(Closed):
                stage(peer)
        for name, peer in peers.items():
            with self.subTest(name):
                self.refuses(peer, "handshake timeout", None)

    def test_byte_now_and_then(self):
        """The time is for the whole handshake, not for each byte."""
        peer = self.peer()
        hello = plain(HANDSHAKE, peer.hello.but(extensions=[(12_000, bytes(16_000))]).write())
        peer.stream.settimeout(0.02)
        for place in range(len(hello)):
            peer.records.send_bytes(hello[place:place + 1])
            with contextlib.suppress(TimeoutError):
                self.assertEqual(peer.stream.recv(1), b"")
                break
        peer.close()
        event, text = self.listener.hears(peer.address)
        self.assertEqual((event, text.split(":")[0]), ("refused", "handshake timeout"), text)

    def test_time_of_the_handshake_is_not_the_connections(self):
        peer = self.peer()
        peer.handshake()
        self.opens(peer)
        other = self.peer()
        other.say_hello()
        self.assertEqual(self.listener.hears(other.address)[0], "refused")
        self.goes_well(peer)


class Crowd(ListenerCase):
    """More than there is room for."""

    options = ("--connections", "3")

    def test_strangers_that_say_nothing(self):
        """Each takes a place, as long as the handshake may take; who comes then is hung up on, and let in when one goes."""
        silent = [self.peer() for _ in range(3)]
        # So that they have been accepted, which TCP alone does not say.
        for peer in silent:
            peer.say_hello()
            peer.hear_hello()
        late = self.peer()
        self.refuses(late, "too many connections", None)
        for peer in silent:
            peer.hear_flight()
            peer.records.finish_sending()
            self.refuses(peer, FAILED, None)
        # A place is free a moment after its connection has ended.
        for _ in range(100):
            peer = self.peer()
            peer.say_hello()
            try:
                peer.hear_hello()
            except Closed:
                self.assertEqual(self.listener.hears(peer.address)[0], "refused")
                continue
            break
        self.goes_on(peer)
