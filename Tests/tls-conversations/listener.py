"""A real listener of a coordinator's, and what every test asks of it."""

import collections
import os
import shutil
import subprocess
import tempfile
import threading
import unittest

from conversation import PATIENCE, Conversation
from identities import Authority


HOST = "salvor://run-1/host/rescue-1"


class Listener:
    """tls-listener as a process, and what it says of each peer, by the peer's address."""

    def __init__(self, *options):
        self.folder = tempfile.mkdtemp(prefix="tls-conversations-")
        self.process = subprocess.Popen(
            [os.environ["TLS_LISTENER"], self.folder, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        self.port = int(self.process.stdout.readline().removeprefix("port "))
        self.said = collections.defaultdict(collections.deque)
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        self.idle = self.sockets()
        self.authority = Authority(self.folder + "/authority.pem")
        self.host = self.authority.identity()

    def read(self):
        for line in self.process.stdout:
            address, event, text = line.rstrip("\n").split(" ", 2)
            with self.changed:
                self.said[address].append((event, text))
                self.changed.notify_all()

    def hears(self, *addresses):
        """The next thing that it says of a peer, which may go by any of these."""
        with self.changed:
            if not self.changed.wait_for(lambda: any(self.said[address] for address in addresses), PATIENCE):
                raise AssertionError(f"the listener does not say what became of {addresses}")
            return next(self.said[address] for address in addresses if self.said[address]).popleft()

    def sockets(self):
        """How many it holds."""
        folder = f"/proc/{self.process.pid}/fd"
        links = []
        for name in os.listdir(folder):
            try:
                links.append(os.readlink(f"{folder}/{name}"))
            except FileNotFoundError:
                # Closed meanwhile.
                pass
        return sum(link.startswith("socket:") for link in links)

    def close(self):
        """- Returns: its exit status, and what it has said that nobody expected."""
        self.process.stdin.close()
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        shutil.rmtree(self.folder)
        return status, {address: list(lines) for address, lines in self.said.items() if lines}


def each(*rows):
    """A test for each row: its name, and the arguments of the function below."""

    def note(function):
        function.rows = rows
        return function

    return note


class ListenerCase(unittest.TestCase):
    """Conversations with one listener, which at their end serves as it did at their beginning."""

    options = ()

    def __init_subclass__(cls):
        for function in [value for value in vars(cls).values() if hasattr(value, "rows")]:
            delattr(cls, function.__name__)
            for name, *arguments in function.rows:
                assert not hasattr(cls, f"test {name}"), f"there is a test {name} already"
                setattr(cls, f"test {name}", lambda self, call=function, given=arguments: call(self, *given))

    @classmethod
    def setUpClass(cls):
        cls.listener = Listener(*cls.options)
        cls.addClassCleanup(cls.check_end)
        cls.host = cls.listener.host

    @classmethod
    def check_end(cls):
        case = cls()
        try:
            # A closed connection is let go of a moment after its peer notices: a few good ones give it that moment.
            for _ in range(20):
                case.takes(case.peer())
                if cls.listener.sockets() == cls.listener.idle:
                    break
            left = cls.listener.sockets() - cls.listener.idle
        finally:
            case.doCleanups()
            status, unexpected = cls.listener.close()
        case.assertEqual((left, status, unexpected), (0, 0, {}), "connections left, exit status, what was not expected")

    def peer(self, identity="host", **more):
        """One with the host's certificate, unless told otherwise."""
        peer = Conversation(self.listener, self.host if identity == "host" else identity, **more)
        self.addCleanup(peer.close)
        return peer

    def takes(self, peer, hello=None, who=HOST):
        """A whole handshake, application data both ways, and an orderly end."""
        peer.handshake(hello)
        self.has_taken(peer, who)

    def goes_on(self, peer, second=None):
        """From the ServerHello on, or from a second ClientHello, all goes well."""
        if second:
            peer.say_hello(second)
            peer.hear_hello()
        peer.hear_flight()
        peer.say_certificates()
        peer.say_finished()
        self.has_taken(peer)

    def has_taken(self, peer, who=HOST):
        self.opens(peer, who)
        self.leaves(peer)

    def opens(self, peer, who=HOST):
        peer.open()
        self.assertEqual(self.listener.hears(peer.address), ("accepted", who))
        peer.ping()

    def opened(self):
        """A peer that has been taken."""
        peer = self.peer()
        peer.handshake()
        self.opens(peer)
        return peer

    def goes_well(self, peer):
        """Still: whatever has come between, data flows, and the end is an orderly one."""
        peer.ping()
        self.leaves(peer)

    def leaves(self, peer):
        self.assertEqual(peer.leave(), "close_notify")
        peer.close()
        self.assertEqual(self.listener.hears(peer.address), ("ended", "well"))

    def takes_hello(self, change):
        """`change` makes of an ordinary ClientHello another one that is as good."""
        peer = self.peer()
        self.takes(peer, change(peer.hello))

    def refuses_hello(self, change, alert, code="handshake failed"):
        """`change` makes of an ordinary ClientHello a bad one."""
        peer = self.peer()
        peer.say_hello(change(peer.hello))
        self.refuses(peer, code, alert)

    def refuses(self, peer, code, alert):
        """The peer is told why by `alert` (None: it is only hung up on), and gets nothing else; the listener has `code`
        for it."""
        self.ends(peer, "refused", code, alert)
        self.assertEqual(peer.data, b"", "application data for a peer that is refused")

    def breaks_off(self, peer, code, alert):
        """The same for one that had been taken."""
        self.ends(peer, "ended", code, alert)

    def ends(self, peer, event, code, alert):
        heard = peer.hear_end()
        peer.close()
        said, text = self.listener.hears(peer.address)
        self.assertEqual((heard, said, text.split(":")[0]), (alert, event, code), text)
