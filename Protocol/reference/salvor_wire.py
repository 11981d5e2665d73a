"""The caller's side of the Salvor wire, version 1, from SPEC.md alone: rules are cited as there. Standard library only.

A reference, not a product: it has one call at a time, and waits for what it waits for.
"""

import collections
import socket
import struct
import time
import zlib

SETTINGS, HEADERS, MESSAGE, TRAILERS, RESET, WINDOW, PING, GOAWAY = range(1, 9)
MORE, COMPRESSED, END, NO_DATA = 1, 2, 4, 8
ACK = 1
# F-5: what each type may be flagged with.
FLAGS = {SETTINGS: 0, HEADERS: 0, MESSAGE: 15, TRAILERS: 0, RESET: 0, WINDOW: 0, PING: ACK, GOAWAY: 0}
PREFACE = b"SALVOR\x00\x01"
# S-3: id, name and default of each setting.
DEFAULTS = {1: 64, 2: 1 << 20, 3: 4 << 20, 4: 98304, 5: 4 << 20, 6: 16384, 7: 128, 8: 0}
STREAMS, STREAM_WINDOW, CONNECTION_WINDOW, FRAME, LONGEST, BLOCK, ENTRIES, COMPRESSION = range(1, 9)
# E-2: what a call's status is that ends by RESET.
RESET_STATUS = {
    0: 14, 1: 13, 2: 13, 3: 13, 4: 13, 5: 14, 6: 1, 7: 4, 8: 8, 9: 13, 10: 12, 11: 8, 12: 14, 13: 14}
PROTOCOL, FLOW_CONTROL, FRAME_SIZE, CANCELLED, DEADLINE, TOO_LARGE, BAD_COMPRESSION = 1, 3, 4, 6, 7, 8, 9
UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNKNOWN = 14, 4, 8, 2


class CallError(Exception):
    """How a call ended that did not end well: gRPC's code and message."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class ConnectionFailed(Exception):
    """The connection is of no use any more (E-1)."""


def metadata_block(entries):
    """H-3."""
    parts = [struct.pack(">H", len(entries))]
    for key, value in entries:
        value = value if isinstance(value, bytes) else value.encode("ascii")
        parts.append(struct.pack(">B", len(key)) + key.encode("ascii") + struct.pack(">I", len(value)) + value)
    return b"".join(parts)


def read_metadata(block, at):
    """H-3: the entries from `at` on, and nothing behind them."""
    count, = struct.unpack_from(">H", block, at)
    at += 2
    entries = []
    for _ in range(count):
        length = block[at]
        key = block[at + 1:at + 1 + length].decode("ascii")
        at += 1 + length
        size, = struct.unpack_from(">I", block, at)
        value = block[at + 4:at + 4 + size]
        if len(value) != size:
            raise ConnectionFailed("metadata ends within a value")
        entries.append((key, value if key.endswith("-bin") else value.decode("ascii")))
        at += 4 + size
    if at != len(block):
        raise ConnectionFailed("something follows the metadata")
    return entries


class Connection:
    """One connection, as its caller (R-1). `stream` is a TLS socket that stands."""

    def __init__(self, stream, settings=None):
        self.stream = stream
        self.accepted = {**DEFAULTS, COMPRESSION: 1, **(settings or {})}
        self.peer = None
        self.next_stream = 1
        self.send_window = 0
        self.last_heard = time.monotonic()
        self.spent = 0
        self.draining = False
        entries = [(id, value) for id, value in self.accepted.items() if value != DEFAULTS[id]]
        self.stream.sendall(PREFACE)
        self.send(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *entry) for entry in entries))
        if self.read_exactly(8) != PREFACE:
            raise ConnectionFailed("the peer does not begin with the preface of version 1 (P-1, P-5)")
        type, _, _, payload = self.receive()
        if type != SETTINGS:
            raise ConnectionFailed("the first frame is no SETTINGS (P-2)")
        self.peer = dict(DEFAULTS)
        for at in range(0, len(payload), 6):
            id, value = struct.unpack_from(">HI", payload, at)
            if id in DEFAULTS:
                self.peer[id] = value
        self.send_window = self.peer[CONNECTION_WINDOW]

    # Frames

    def read_exactly(self, count, deadline=None):
        parts = []
        while count:
            self.stream.settimeout(None if deadline is None else max(0.001, deadline - time.monotonic()))
            part = self.stream.recv(min(count, 1 << 16))
            if not part:
                raise ConnectionFailed("the connection was closed (R-3)")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def receive(self, deadline=None):
        """The next frame. A deadline that passes between frames is socket.timeout; within one it cannot be kept."""
        head = self.read_exactly(1, deadline)
        length, type, flags, id = struct.unpack(">IBBI", head + self.read_exactly(9))
        longest = {SETTINGS: 384, HEADERS: self.accepted[BLOCK], TRAILERS: self.accepted[BLOCK], RESET: 4, WINDOW: 4,
                   PING: 8, GOAWAY: 264}.get(type, self.accepted[FRAME])
        if length > longest:
            self.fail(FRAME_SIZE, f"a frame of type {type} has {length} bytes (F-2)")
        if type in FLAGS and flags & ~FLAGS[type]:
            self.fail(PROTOCOL, f"flags {flags} on a frame of type {type} (F-8)")
        if type == 0:
            self.fail(PROTOCOL, "a frame of type 0")
        return type, flags, id, self.read_exactly(length)

    def send(self, type, flags, id, payload=b""):
        self.stream.settimeout(None)
        self.stream.sendall(struct.pack(">IBBI", len(payload), type, flags, id) + payload)

    def fail(self, code, why):
        """E-1: the peer's idea of the connection is broken."""
        self.send(GOAWAY, 0, 0, struct.pack(">II", 0, code) + why.encode()[:256])
        self.stream.close()
        raise ConnectionFailed(why)

    def close(self):
        """G-2: nothing runs, so that nothing is lost."""
        try:
            self.send(GOAWAY, 0, 0, struct.pack(">II", 0, 0))
            self.stream.close()
        except OSError:
            pass

    def handle(self, type, flags, id, payload):
        """What belongs to the connection. True for a frame that was that, or is skipped (F-7)."""
        if type == PING:
            if not flags & ACK:
                self.send(PING, ACK, 0, payload)
            return True
        if type == GOAWAY:
            last, code = struct.unpack_from(">II", payload)
            self.draining = True
            if code:
                raise ConnectionFailed(f"the peer gave up with {code}: {payload[8:].decode('utf-8', 'replace')} (G-6)")
            return True
        if type == WINDOW and id == 0:
            self.send_window += struct.unpack(">I", payload)[0]
            return True
        if type == MESSAGE:
            # W-7: the connection's window comes back on receipt.
            self.spent += 0 if flags & NO_DATA else 10 + len(payload)
            if 2 * self.spent >= self.accepted[CONNECTION_WINDOW]:
                self.send(WINDOW, 0, 0, struct.pack(">I", self.spent))
                self.spent = 0
        if type == SETTINGS:
            self.fail(PROTOCOL, "SETTINGS again (P-2)")
        return type not in FLAGS

    # Calls

    def call(self, path, messages, timeout=None, metadata=()):
        """Calls a method, of any of the four shapes, and yields the messages that it answers with.

        `messages` is read as the windows allow. Ends with CallError unless the status is OK.
        """
        if self.draining:
            raise CallError(UNAVAILABLE, "the peer takes no new calls (G-2)")
        return Call(self, path, iter(messages), timeout, metadata).run()

    def unary(self, path, message, timeout=None, metadata=()):
        answers = list(self.call(path, [message], timeout, metadata))
        if len(answers) != 1:
            raise CallError(UNKNOWN, f"{len(answers)} messages where one belongs")
        return answers[0]


class Call:
    """One stream (T-1)."""

    def __init__(self, connection, path, messages, timeout, metadata):
        self.connection, self.messages = connection, messages
        self.id = connection.next_stream
        connection.next_stream += 2
        self.window = connection.peer[STREAM_WINDOW]
        self.deadline = None if timeout is None else time.monotonic() + timeout
        self.queue = collections.deque()
        self.has_ended = self.has_sent_end = self.has_response = False
        self.parts, self.is_compressed, self.spent = [], False, 0
        self.response_metadata = self.trailing_metadata = None
        name = path.encode("ascii")
        nanoseconds = 0 if timeout is None else max(1, int(timeout * 1e9))
        connection.send(
            HEADERS, 0, self.id, struct.pack(">QB", nanoseconds, len(name)) + name + metadata_block(list(metadata)))

    def run(self):
        try:
            while not self.has_ended:
                self.send_what_fits()
                yield from self.read_one()
        except (socket.timeout, TimeoutError):
            self.reset(DEADLINE)
            raise CallError(DEADLINE_EXCEEDED, "the deadline passed here (D-3)") from None
        except GeneratorExit:
            if not self.has_ended:
                self.reset(CANCELLED)
            raise
        except (ConnectionFailed, OSError) as error:
            raise CallError(UNAVAILABLE, f"the connection was lost: {error} (E-3)") from error

    def reset(self, code):
        self.has_ended = True
        self.connection.send(RESET, 0, self.id, struct.pack(">I", code))

    def send_what_fits(self):
        """M-1 to M-4, C-1, C-2, W-4: frames until a window or the messages are at their end."""
        connection = self.connection
        while not self.has_sent_end:
            if not self.queue:
                message = next(self.messages, None)
                if message is None:
                    connection.send(MESSAGE, END | NO_DATA, self.id)
                    self.has_sent_end = True
                    return
                self.cut(message)
            if min(self.window, connection.send_window) < 11:
                return
            flags, payload = self.queue.popleft()
            room = min(self.window, connection.send_window) - 10
            if len(payload) > room:
                self.queue.appendleft((flags & ~COMPRESSED, payload[room:]))
                flags, payload = flags & COMPRESSED | MORE, payload[:room]
            connection.send(MESSAGE, flags, self.id, payload)
            self.window -= 10 + len(payload)
            connection.send_window -= 10 + len(payload)

    def cut(self, message):
        peer = self.connection.peer
        flags = 0
        if peer[COMPRESSION] & 1 and len(message) >= 1024:
            packed = zlib.compress(message)
            if len(packed) < len(message):
                message, flags = packed, COMPRESSED
        if len(message) > peer[LONGEST]:
            raise CallError(RESOURCE_EXHAUSTED, "the message is larger than the peer takes (M-5)")
        for at in range(0, max(1, len(message)), peer[FRAME]):
            is_last = at + peer[FRAME] >= len(message)
            self.queue.append((flags | (0 if is_last else MORE), message[at:at + peer[FRAME]]))
            flags = 0

    def read_one(self):
        connection = self.connection
        type, flags, id, payload = connection.receive(self.deadline)
        if connection.handle(type, flags, id, payload) or id != self.id:
            # E-5: what is left of calls that have ended is dropped.
            return
        if type == WINDOW:
            self.window += struct.unpack(">I", payload)[0]
        elif type == HEADERS:
            self.has_response = True
            self.response_metadata = read_metadata(payload, 0)
        elif type == MESSAGE:
            yield from self.take(flags, payload)
        elif type == RESET:
            self.has_ended = True
            code, = struct.unpack(">I", payload)
            raise CallError(RESET_STATUS.get(code, UNKNOWN), f"the peer reset the call with {code}")
        elif type == TRAILERS:
            self.has_ended = True
            code, length = struct.unpack_from(">IH", payload)
            self.trailing_metadata = read_metadata(payload, 6 + length)
            if code:
                raise CallError(
                    code if code <= 16 else UNKNOWN, payload[6:6 + length].decode("utf-8", "replace"))

    def take(self, flags, payload):
        """M-1, M-2, C-3, C-5, W-5."""
        if not self.has_response or flags & END or self.parts and flags & COMPRESSED:
            self.reset(PROTOCOL)
            raise CallError(13, "the callee broke a rule of its stream (T-4, M-2, M-3)")
        if not self.parts:
            self.is_compressed = bool(flags & COMPRESSED)
        self.parts.append(payload)
        self.spent += 10 + len(payload)
        longest = self.connection.accepted[LONGEST]
        if sum(map(len, self.parts)) > longest:
            self.reset(TOO_LARGE)
            raise CallError(RESOURCE_EXHAUSTED, "a message is larger than was allowed (M-5)")
        if 2 * self.spent >= self.connection.accepted[STREAM_WINDOW] or not flags & MORE:
            self.connection.send(WINDOW, 0, self.id, struct.pack(">I", self.spent))
            self.spent = 0
        if flags & MORE:
            return
        message, self.parts = b"".join(self.parts), []
        if self.is_compressed:
            inflater = zlib.decompressobj()
            try:
                inflated = inflater.decompress(message, longest + 1)
            except zlib.error:
                inflated = b""
            if len(inflated) > longest:
                self.reset(TOO_LARGE)
                raise CallError(RESOURCE_EXHAUSTED, "a message inflates beyond what was allowed (C-5)")
            if not inflater.eof or inflater.unused_data:
                self.reset(BAD_COMPRESSION)
                raise CallError(13, "a message is no whole zlib stream (C-3)")
            message = inflated
        yield message
