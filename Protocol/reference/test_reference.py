"""What a coordinator that was written from SPEC.md makes of Swift's agent."""

import contextlib
import glob
import hashlib
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import unittest

from coordinator import Coordinator
from salvor.v1 import (
    apply_pb2, findings_pb2, health_pb2, host_pb2, inventory_pb2, quarantine_pb2, recipe_pb2, scan_pb2,
    unlock_pb2)
from salvor_wire import CallError

AGENT = os.environ["SALVOR_AGENT"]


def ask(connection, path, request, answer, timeout=60):
    return answer.FromString(connection.unary(f"salvor.v1.{path}", request.SerializeToString(), timeout))


def recipe():
    """crowdstrike-291, as the coordinator's own recipe has it."""

    def ntfs(unix):
        return (unix + 11_644_473_600) * 10_000_000

    faulty_from, corrected_from = ntfs(1_721_362_140), ntfs(1_721_366_820)
    delete, keep = recipe_pb2.ACTION_QUARANTINE_AND_DELETE, recipe_pb2.ACTION_KEEP
    return recipe_pb2.Recipe(
        name="crowdstrike-291", version=1, volume_policy=recipe_pb2.VolumePolicy(reset_log=True),
        rules=[
            recipe_pb2.Rule(
                id="channel-file-291", folder=["Windows", "System32", "drivers", "CrowdStrike"],
                name_pattern="C-00000291*.sys",
                judgement=recipe_pb2.Judgement(
                    header=bytes.fromhex("AAAAAAAA01002301"), faulty_from=faulty_from, faulty_before=corrected_from,
                    corrected_from=corrected_from),
                actions=[
                    recipe_pb2.VerdictAction(verdict=verdict, action=action)
                    for verdict, action in [
                        (recipe_pb2.VERDICT_FAULTY, delete), (recipe_pb2.VERDICT_ZEROED, delete),
                        (recipe_pb2.VERDICT_CORRECTED, keep), (recipe_pb2.VERDICT_UNKNOWN, keep)]
                ])
        ])


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="salvor-reference-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.coordinator = Coordinator("run-1", "rescue-1", f"{self.folder}/ca")
        self.addCleanup(self.coordinator.listener.close)

    def link(self, timeout=60):
        agent = self.coordinator.agent(timeout)
        self.addCleanup(agent.stream.close)
        return agent

    def path(self, name):
        return f"{self.folder}/{name}"


class AgentOnThisComputer(Folder):
    """The agent as a process here: what needs no disk."""

    @contextlib.contextmanager
    def agent(self, bootstrap=None):
        with open(self.path("bootstrap"), "wb") as file:
            file.write(bootstrap or self.coordinator.bootstrap(f"127.0.0.1:{self.coordinator.port}"))
        with open(self.path("log"), "w") as log:
            process = subprocess.Popen([AGENT, "--bootstrap", self.path("bootstrap")], stdout=log, stderr=log)
            try:
                yield process
            finally:
                process.terminate()
                process.wait()

    def test_enrolment_then_calls(self):
        with self.agent():
            agent = self.link()
            version = ask(agent, "Health/Version", health_pb2.VersionRequest(), health_pb2.VersionResponse)
            self.assertEqual((version.protocol, version.host), (1, "rescue-1"))
            check = ask(agent, "Health/Check", health_pb2.CheckRequest(), health_pb2.CheckResponse)
            self.assertEqual(check.serving, health_pb2.CheckResponse.SERVING_OK)
            agent.close()

    def test_calls_that_end_badly_say_how(self):
        with self.agent():
            agent = self.link()
            for path, code in [("salvor.v1.Nothing/Here", 12), ("salvor.v1.Health/Nothing", 12)]:
                with self.assertRaises(CallError) as caught:
                    agent.unary(path, b"", timeout=20)
                self.assertEqual(caught.exception.code, code, path)
            # D-3: the agent, which is told of the deadline, ends the call, or this side does.
            with self.assertRaises(CallError) as caught:
                for _ in agent.call("salvor.v1.Host/Logs", [b""], timeout=0.5):
                    pass
            self.assertEqual(caught.exception.code, 4)
            # T-6: a call that is given up stops, and the connection is as good as before.
            logs = agent.call("salvor.v1.Host/Logs", [b""], timeout=30)
            first = host_pb2.LogRecord.FromString(next(logs))
            self.assertEqual(first.level, "info")
            logs.close()
            with self.assertRaises(CallError) as caught:
                agent.unary("salvor.v1.Scan/Run", scan_pb2.ScanRequest(recipe=recipe()).SerializeToString(), 20)
            self.assertIn(caught.exception.code, (3, 5, 9))
            ask(agent, "Health/Check", health_pb2.CheckRequest(), health_pb2.CheckResponse)

    def test_large_messages_go_in_pieces_and_compressed(self):
        with self.agent():
            agent = self.link()
            # M-1, C-1: more than one frame, and more than is worth to be sent as it is.
            noise = b"".join(hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(8000))
            for name in ["a" * 500_000, noise.hex()]:
                request = scan_pb2.ScanRequest(
                    disk=inventory_pb2.DiskSelector(serial="none"), recipe=recipe_pb2.Recipe(name=name))
                with self.assertRaises(CallError) as caught:
                    agent.unary("salvor.v1.Scan/Run", request.SerializeToString(), 30)
                self.assertNotIn(caught.exception.code, (1, 2, 4, 13, 14), str(caught.exception))

    def test_ping_is_answered_and_unknown_frames_are_skipped(self):
        with self.agent():
            agent = self.link()
            agent.send(200, 77, 12345, b"of a later version")
            agent.send(7, 0, 0, b"01234567")
            agent.stream.settimeout(20)
            self.assertEqual(agent.receive(), (7, 1, 0, b"01234567"))

    def test_a_broken_peer_is_told_and_left(self):
        for name, frame, code in [
            ("flag", (7, 2, 0, b"01234567"), 1), ("even stream", (2, 0, 2, b"\0" * 20), 1),
            ("length", (5, 0, 1, b"12345"), 4), ("zero", (0, 0, 0, b""), 1), ("window", (6, 0, 0, b"\0\0\0\0"), 1),
        ]:
            with self.subTest(name), self.agent():
                agent = self.link()
                agent.send(*frame)
                agent.stream.settimeout(20)
                type, _, _, payload = agent.receive()
                self.assertEqual((type, int.from_bytes(payload[4:8], "big")), (8, code))

    def test_nobody_is_let_in_without_the_token(self):
        bootstrap = self.coordinator.bootstrap(f"127.0.0.1:{self.coordinator.port}")
        self.coordinator.token = bytes(32)
        with self.agent(bootstrap), self.assertRaises(PermissionError):
            self.link()

    def test_the_agent_talks_to_its_own_authority_alone(self):
        other = Coordinator("run-1", "rescue-1", self.path("other"))
        self.addCleanup(other.listener.close)
        bootstrap = self.coordinator.bootstrap(f"127.0.0.1:{other.port}")
        with self.agent(bootstrap):
            other.listener.settimeout(30)
            plain, _ = other.listener.accept()
            plain.settimeout(20)
            with self.assertRaises((ssl.SSLError, OSError, EOFError)):
                stream = other.context.wrap_socket(plain, server_side=True)
                # In TLS 1.3 a client's refusal comes after the server's handshake.
                if not stream.recv(1):
                    raise EOFError


class RescueVM(Folder):
    """A whole repair in a real rescue VM, whose only company is this client."""

    def setUp(self):
        super().setUp()
        built = json.loads(subprocess.run(
            [os.environ["SALVOR"], "image", "build", "--output", "json"], check=True, capture_output=True).stdout)
        self.kernel, self.initramfs = built["kernel"], built["initramfs"]
        cache = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "salvor")
        subprocess.run(
            [
                os.environ["MAKE_BROKEN_MACHINE"], self.path("fleet"), "--name", "broken", "--files", "200", "--size-mib",
                "192", "--cache", cache], check=True, capture_output=True)
        self.disk, = glob.glob(self.path("fleet/**/broken.raw"), recursive=True)

    def config_disk(self):
        files = {
            "salvor-bootstrap": self.coordinator.bootstrap(f"10.0.2.2:{self.coordinator.port}"),
            "network": b"10.0.2.15/24\n"}
        disk = self.path("config.img")
        subprocess.run(["mformat", "-i", disk, "-C", "-f", "1440", "-v", "SALVORCFG", "::"], check=True)
        for name, content in files.items():
            subprocess.run(["mcopy", "-i", disk, "-", f"::/{name}"], input=content, check=True)
        return disk

    @contextlib.contextmanager
    def machine(self):
        def drive(name, path, mode):
            return [
                "-drive", f"if=none,id={name},file={path},format=raw,readonly={mode}", "-device",
                f"virtio-blk-pci,drive={name},serial={name}"]

        with open(self.path("console"), "w") as console:
            process = subprocess.Popen(
                [
                    "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-machine", "q35", "-cpu", "max", "-smp", "2",
                    "-m", "512", "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio", "-kernel",
                    self.kernel, "-initrd", self.initramfs, "-append",
                    "console=ttyS0 quiet panic=-1 tsc=reliable no_timer_check cryptomgr.notests norandmaps",
                    "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile=",
                    *drive("config", self.config_disk(), "on"), *drive("broken", self.disk, "off")],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console)
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    def test_every_service_of_the_agent(self):
        with self.machine() as machine:
            agent = self.link(180)
            disks = ask(
                agent, "Inventory/List", inventory_pb2.ListDisksRequest(), inventory_pb2.ListDisksResponse).disks
            self.assertEqual([disk.serial for disk in disks if not disk.rescue_system], ["broken"])

            broken = inventory_pb2.DiskSelector(serial="broken")
            request = scan_pb2.ScanRequest(disk=broken, recipe=recipe())
            scan = ask(agent, "Scan/Run", request, scan_pb2.ScanResponse, 120)
            self.assertEqual(scan.outcome.kind, findings_pb2.Outcome.KIND_REPAIRABLE, scan.outcome.message)
            faulty = [one for one in scan.findings if one.verdict == recipe_pb2.VERDICT_FAULTY]
            self.assertGreaterEqual(len(faulty), 1)

            unlocked = ask(agent, "Unlock/Run", unlock_pb2.UnlockRequest(disk=broken), unlock_pb2.UnlockResponse)
            self.assertEqual(list(unlocked.volumes), [])
            ask(agent, "Unlock/Forget", unlock_pb2.ForgetKeysRequest(disk=broken), unlock_pb2.ForgetKeysResponse)

            request = apply_pb2.ApplyRequest(
                disk=broken, recipe=recipe(), expected=scan.findings, quarantine_id="reference-1")
            events = [
                apply_pb2.ApplyEvent.FromString(event)
                for event in agent.call("salvor.v1.Apply/Run", [request.SerializeToString()], 180)]
            self.assertEqual([event.sequence for event in events], list(range(1, len(events) + 1)))
            self.assertEqual(events[-1].outcome.kind, findings_pb2.Outcome.KIND_REPAIRED, events[-1].outcome.message)
            verified = [event.verified for event in events if event.WhichOneof("event") == "verified"]
            self.assertEqual([one.absent_files for one in verified], [len(faulty)])
            self.assertTrue(verified[0].tables_unchanged)

            request = quarantine_pb2.FetchRequest(quarantine_id="reference-1")
            files = {}
            taken = []
            for chunk in agent.call("salvor.v1.Quarantine/Fetch", [request.SerializeToString()], 60):
                chunk = quarantine_pb2.FetchChunk.FromString(chunk)
                taken.append(chunk)
                if chunk.WhichOneof("part") == "entry":
                    files[chunk.entry.sha256] = b""
                    entry = chunk.entry
                else:
                    files[entry.sha256] += chunk.data
            self.assertEqual({hashlib.sha256(content).digest() for content in files.values()}, set(files))
            self.assertEqual(set(files), {one.sha256 for one in faulty})
            ask(
                agent, "Quarantine/Discard", quarantine_pb2.DiscardRequest(quarantine_id="reference-1"),
                quarantine_pb2.DiscardResponse)

            request = scan_pb2.ScanRequest(disk=broken, recipe=recipe())
            again = ask(agent, "Scan/Run", request, scan_pb2.ScanResponse, 120)
            self.assertEqual(again.outcome.kind, findings_pb2.Outcome.KIND_NOTHING_TO_REPAIR, again.outcome.message)

            # What was taken goes back: brought to the agent, and put where it was.
            brought = [quarantine_pb2.StoreChunk(quarantine_id="reference-back")] + [
                quarantine_pb2.StoreChunk(**{chunk.WhichOneof("part"): getattr(chunk, chunk.WhichOneof("part"))})
                for chunk in taken]
            answers = list(agent.call(
                "salvor.v1.Quarantine/Store", [chunk.SerializeToString() for chunk in brought], 60))
            self.assertEqual(quarantine_pb2.StoreResponse.FromString(answers[0]).files, len(files))
            undo = recipe_pb2.Recipe(
                name="undo", version=1, put_back_from="reference-back", volume_policy=recipe().volume_policy)
            scan = ask(
                agent, "Scan/Run", scan_pb2.ScanRequest(disk=broken, recipe=undo), scan_pb2.ScanResponse, 120)
            self.assertEqual({one.verdict for one in scan.findings}, {recipe_pb2.VERDICT_MISSING})
            request = apply_pb2.ApplyRequest(
                disk=broken, recipe=undo, expected=scan.findings, quarantine_id="reference-2")
            events = [
                apply_pb2.ApplyEvent.FromString(event)
                for event in agent.call("salvor.v1.Apply/Run", [request.SerializeToString()], 180)]
            self.assertEqual(events[-1].outcome.kind, findings_pb2.Outcome.KIND_REPAIRED, events[-1].outcome.message)
            request = scan_pb2.ScanRequest(disk=broken, recipe=recipe())
            back = ask(agent, "Scan/Run", request, scan_pb2.ScanResponse, 120)
            self.assertEqual(
                {one.sha256 for one in back.findings if one.verdict == recipe_pb2.VERDICT_FAULTY}, set(files))

            ask(agent, "Host/PowerOff", host_pb2.PowerOffRequest(), host_pb2.PowerOffResponse)
            self.assertEqual(machine.wait(60), 0)


if __name__ == "__main__":
    unittest.main()
