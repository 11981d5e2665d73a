"""Machines that are started in earnest: az against azure-emulator with QEMU behind it."""

import os
import shutil
import signal
import subprocess
import time
import unittest

from azure.storage.blob import BlobClient

from emulator import ClientCase

MAKER = os.path.join(os.path.dirname(os.environ["AZURE_EMULATOR"]), "make-azure-guest")
# A guest takes some seconds under translation; this is for computers that have other things to do.
PATIENCE = 180


def processes(folder):
    """Numbers of the QEMU processes of a state folder."""
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline", "rb") as file:
                arguments = file.read().split(b"\0")
            if b"qemu-system" in arguments[0] and os.readlink(f"/proc/{number}/cwd").startswith(folder):
                found.append(int(number))
        except OSError:
            continue
    return found


@unittest.skipUnless(shutil.which("qemu-system-x86_64"), "needs QEMU: Debian's qemu-system-x86")
@unittest.skipUnless(os.path.exists(MAKER), "needs make-azure-guest beside azure-emulator")
class RealMachineTests(ClientCase):
    options = ("--hypervisor", "qemu")

    @classmethod
    def end_machines(cls):
        """Those of a test that has failed: they would run on."""
        for number in processes(cls.emulator.folder):
            os.kill(number, signal.SIGKILL)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(cls.end_machines)
        cls.vhd = {}
        for marker in ["first", "second"]:
            cls.vhd[marker] = f"{cls.emulator.folder}/{marker}.vhd"
            subprocess.run([MAKER, cls.vhd[marker], "--marker", marker, "--vhd"], check=True)

    def upload(self, group, name, generation):
        """An OS disk with the bytes of the guest that has this name for its marker."""
        path = self.vhd[name]
        size = os.path.getsize(path)
        self.az(
            "disk", "create", "-g", group, "-n", name, "--upload-type", "Upload", "--upload-size-bytes", str(size),
            "--os-type", "Linux", "--hyper-v-generation", generation)
        address = self.az(
            "disk", "grant-access", "-g", group, "-n", name, "--access-level", "Write", "--duration-in-seconds",
            "600")["accessSAS"]
        blob = BlobClient.from_blob_url(address, connection_verify=self.emulator.authority)
        with open(path, "rb") as file:
            for offset in range(0, size, 4 << 20):
                data = file.read(4 << 20)
                blob.upload_page(data, offset=offset, length=len(data))
        self.az("disk", "revoke-access", "-g", group, "-n", name)

    def log(self, group):
        result = self.az.run("vm", "boot-diagnostics", "get-boot-log", "-g", group, "-n", "vm")
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def wait_for(self, what, see):
        """What `see` gives, as soon as it is something."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            seen = see()
            if seen:
                return seen
            time.sleep(1)
        self.fail(f"there is no {what} after {PATIENCE} s")

    def wait_for_line(self, group, line):
        said = []

        def see():
            said[:] = [self.log(group)]
            return line in said[0]

        try:
            self.wait_for(f"'{line}' on the console", see)
        except AssertionError as error:
            raise AssertionError(f"{error}; the console: {said[0]}") from None

    def view(self, group):
        return self.az("vm", "get-instance-view", "-g", group, "-n", "vm")["instanceView"]

    def agent(self, group):
        return self.view(group)["vmAgent"]["statuses"][0]["displayStatus"]

    def rescue(self, generation, firmware):
        group = self.group(f"real-{generation.lower()}")
        for name in ["first", "second"]:
            self.upload(group, name, generation)
        self.az(
            "vm", "create", "-g", group, "-n", "vm", "--attach-os-disk", "first", "--os-type", "linux", "--size",
            "Standard_D2s_v5", "--nsg", "", "--public-ip-address", "", "--user-data", "hello")
        self.assertEqual(len(processes(self.emulator.folder)), 1)
        self.az("vm", "boot-diagnostics", "enable", "-g", group, "-n", "vm")
        self.wait_for_line(group, f"GUEST marker=first firmware={firmware}")
        self.wait_for_line(group, "GUEST name=vm")
        self.wait_for_line(group, "GUEST userData=aGVsbG8=")
        self.wait_for("ready agent", lambda: self.agent(group) == "Ready")

        self.az("disk", "create", "-g", group, "-n", "data", "--size-gb", "4")
        self.az("vm", "disk", "attach", "-g", group, "--vm-name", "vm", "--name", "data", "--lun", "5")
        self.wait_for_line(group, f"LUN=5 size={4 << 30}")
        self.az("vm", "disk", "detach", "-g", group, "--vm-name", "vm", "--name", "data")
        self.wait_for_line(group, "LUN=5 gone")

        self.az("vm", "deallocate", "-g", group, "-n", "vm")
        self.assertEqual(processes(self.emulator.folder), [])
        self.assertIn("GUEST is shutting down", self.log(group))
        self.az("vm", "update", "-g", group, "-n", "vm", "--os-disk", "second")
        self.az("vm", "start", "-g", group, "-n", "vm")
        self.wait_for_line(group, f"GUEST marker=second firmware={firmware}")

        self.az("vm", "delete", "-g", group, "-n", "vm", "-y")
        self.assertEqual(processes(self.emulator.folder), [])
        self.assertEqual(os.listdir(self.emulator.folder + "/state/machines"), [])

    def power(self, group):
        return self.view(group)["statuses"][-1]["code"]

    def restart_emulator(self):
        self.emulator.start(int(self.emulator.base.rsplit(":", 1)[1]))

    def test_emulator_killed(self):
        """Machines outlive their emulator, and it finds them again; a machine that is lost is stopped."""
        group = self.group("real-killed")
        self.upload(group, "first", "V1")
        self.az(
            "vm", "create", "-g", group, "-n", "vm", "--attach-os-disk", "first", "--os-type", "linux", "--size",
            "Standard_D2s_v5", "--nsg", "", "--public-ip-address", "")
        before = processes(self.emulator.folder)
        self.assertEqual(len(before), 1)
        self.emulator.kill()
        self.assertEqual(processes(self.emulator.folder), before)
        self.restart_emulator()
        self.assertEqual(self.power(group), "PowerState/running")
        # Its guest is heard as before: it has been starting all the while.
        self.wait_for("ready agent", lambda: self.agent(group) == "Ready")
        self.az("disk", "create", "-g", group, "-n", "data", "--size-gb", "4")
        self.az("vm", "disk", "attach", "-g", group, "--vm-name", "vm", "--name", "data", "--lun", "7")
        self.az("vm", "boot-diagnostics", "enable", "-g", group, "-n", "vm")
        self.wait_for_line(group, f"LUN=7 size={4 << 30}")
        self.assertEqual(processes(self.emulator.folder), before)

        os.kill(before[0], signal.SIGKILL)
        self.wait_for("stopped machine", lambda: self.power(group) == "PowerState/stopped")
        self.az("vm", "start", "-g", group, "-n", "vm")
        second = processes(self.emulator.folder)
        self.assertEqual(len(second), 1)
        self.emulator.kill()
        os.kill(second[0], signal.SIGKILL)
        self.wait_for("end of QEMU", lambda: not processes(self.emulator.folder))
        self.restart_emulator()
        self.assertEqual(self.power(group), "PowerState/stopped")
        self.az("vm", "delete", "-g", group, "-n", "vm", "-y")
        self.assertEqual(os.listdir(self.emulator.folder + "/state/machines"), [])

    def test_first_generation(self):
        self.rescue("V1", "BIOS")

    def test_second_generation(self):
        self.rescue("V2", "UEFI")
