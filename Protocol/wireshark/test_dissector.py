"""The dissector on a capture of a real link, read by tshark with the keys of its TLS."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from coordinator import Coordinator
from salvor_wire import CallError

LUA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "salvor.lua")


class DissectorTests(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="salvor-dissector-")
        self.addCleanup(shutil.rmtree, self.folder)

    def capture(self, coordinator, work):
        """What passes on loopback while `work` is done, as a file."""
        file = f"{self.folder}/capture.pcapng"
        capture = subprocess.Popen(
            ["tshark", "-q", "-l", "-i", "lo", "-f", f"tcp port {coordinator.port}", "-w", file],
            stderr=subprocess.PIPE, text=True)
        try:
            said = ""
            for said in capture.stderr:
                if "Capturing on" in said:
                    break
            else:
                self.fail(f"tshark does not capture (it needs root, or rights for dumpcap): {said}")
            # It says so a moment before it does: what it is sure to see is waited for.
            self.wait_until_seen(file, coordinator)
            work()
            self.settle(file)
        finally:
            capture.send_signal(signal.SIGINT)
            capture.communicate(timeout=30)
        return file

    def wait_until_seen(self, file, coordinator):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            socket.create_connection(("127.0.0.1", coordinator.port)).close()
            coordinator.listener.accept()[0].close()
            if os.path.exists(file) and os.path.getsize(file) > 1000:
                return
            time.sleep(0.1)
        self.fail("tshark sees nothing on loopback")

    def settle(self, file):
        """Until nothing more is written: the capture is behind by a buffer."""
        size = -1
        while size != os.path.getsize(file):
            size = os.path.getsize(file)
            time.sleep(1)

    def read(self, file, port, *options):
        result = subprocess.run(
            [
                "tshark", "-r", file, "-X", f"lua_script:{LUA}", "-o", f"tls.keylog_file:{self.folder}/keys", "-d",
                f"tcp.port=={port},tls", *options], capture_output=True, text=True, check=True)
        self.assertNotIn("Lua", result.stdout + result.stderr.replace("lua_script", ""))
        return result.stdout

    def test_a_link_from_enrolment_to_its_end(self):
        os.environ["SSLKEYLOGFILE"] = f"{self.folder}/keys"
        self.addCleanup(os.environ.pop, "SSLKEYLOGFILE")
        coordinator = Coordinator("run-1", "rescue-1", f"{self.folder}/ca")
        self.addCleanup(coordinator.listener.close)

        def work():
            with open(f"{self.folder}/bootstrap", "wb") as file:
                file.write(coordinator.bootstrap(f"127.0.0.1:{coordinator.port}"))
            process = subprocess.Popen(
                [os.environ["SALVOR_AGENT"], "--bootstrap", f"{self.folder}/bootstrap"], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
            try:
                agent = coordinator.agent(60)
                agent.unary(
                    "salvor.v1.Health/Version", b"", 20, [("x-words", "some words"), ("y-bin", bytes([0, 255]))])
                with self.assertRaises(CallError):
                    # More than one TLS record, and more than one frame.
                    agent.unary("salvor.v1.Nothing/Here", os.urandom(200_000), 20)
                agent.send(7, 0, 0, b"01234567")
                agent.receive()
                agent.close()
            finally:
                process.terminate()
                process.wait()

        file = self.capture(coordinator, work)
        lines = self.read(file, coordinator.port, "-Y", "salvor", "-T", "fields", "-e", "_ws.col.Info").splitlines()
        text = "\n".join(lines)
        for words in [
            "preface, SETTINGS", "HEADERS[1] salvor.v1.Enrolment/Request", "HEADERS[3] salvor.v1.Enrolment/Install",
            "HEADERS[1] salvor.v1.Health/Version", "TRAILERS[1] OK", "HEADERS[3] salvor.v1.Nothing/Here",
            "TRAILERS[3] UNIMPLEMENTED", "PING", "WINDOW", "GOAWAY NONE", "response",
        ]:
            self.assertIn(words, text)

        def field(name, where="salvor"):
            out = self.read(file, coordinator.port, "-Y", where, "-T", "fields", "-e", name)
            return [value for line in out.splitlines() for value in line.split(",") if value]

        self.assertEqual(set(field("salvor.version")), {"1"})
        self.assertIn("some words", field("salvor.metadata.value"))
        self.assertIn("00ff", field("salvor.metadata.binary"))
        self.assertEqual(set(field("salvor.error")), {"0"})
        self.assertEqual(set(field("salvor.status")), {"0", "12"})
        self.assertEqual(set(field("salvor.ping")), {"3031323334353637"})
        self.assertTrue(set(field("salvor.type")) <= {str(n) for n in range(1, 9)})


if __name__ == "__main__":
    unittest.main()
