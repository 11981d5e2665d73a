"""Disks and snapshots with their bytes: az for the disks, azure-storage-blob for what is in them."""

import random
import struct

from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobClient

from emulator import ClientCase

MIB = 1 << 20


def fixed_footer(size):
    """The last 512 bytes of a fixed VHD of `size` bytes."""
    footer = struct.pack(
        ">8sIIQI4sI4sQQIII", b"conectix", 2, 0x10000, 0xFFFFFFFFFFFFFFFF, 0, b"test", 0x10000, b"Wi2k", size, size, 0, 2, 0)
    footer = footer.ljust(512, b"\0")
    checksum = ~sum(footer) & 0xFFFFFFFF
    return footer[:64] + struct.pack(">I", checksum) + footer[68:]


class DiskTests(ClientCase):
    def blob(self, address):
        return BlobClient.from_blob_url(address, connection_verify=self.emulator.authority)

    def upload(self, group, name, pages, size, footer=None, *options):
        """A disk whose bytes are uploaded; `pages` by offset."""
        self.az(
            "disk", "create", "-g", group, "-n", name, "--upload-type", "Upload", "--upload-size-bytes",
            str(size + 512), *options)
        address = self.az(
            "disk", "grant-access", "-g", group, "-n", name, "--access-level", "Write", "--duration-in-seconds",
            "600")["accessSAS"]
        blob = self.blob(address)
        for offset, data in pages.items():
            blob.upload_page(data, offset=offset, length=len(data))
        blob.upload_page(footer or fixed_footer(size), offset=size, length=512)
        return address

    def test_disks(self):
        group = self.group("disks")
        disk = self.az("disk", "create", "-g", group, "-n", "one", "--size-gb", "8")
        self.assertEqual((disk["diskState"], disk["diskSizeGB"]), ("Unattached", 8))
        self.az("disk", "create", "-g", group, "-n", "two", "--source", "one")
        self.assertEqual(self.az("disk", "update", "-g", group, "-n", "two", "--size-gb", "16")["diskSizeGB"], 16)
        self.fails("OperationNotAllowed", "disk", "update", "-g", group, "-n", "two", "--size-gb", "4")
        self.az("disk", "delete", "-g", group, "-n", "two", "-y")
        self.fails("ResourceNotFound", "disk", "show", "-g", group, "-n", "two")
        self.assertEqual([d["name"] for d in self.az("disk", "list", "-g", group)], ["one"])

    def test_snapshots(self):
        group = self.group("snapshots")
        self.az("disk", "create", "-g", group, "-n", "one", "--size-gb", "8")
        self.az("snapshot", "create", "-g", group, "-n", "kept", "--source", "one", "--incremental", "true")
        self.assertEqual([s["name"] for s in self.az("snapshot", "list", "-g", group)], ["kept"])
        self.az("snapshot", "update", "-g", group, "-n", "kept", "--set", "tags.a=b")
        self.assertEqual(self.az("snapshot", "show", "-g", group, "-n", "kept")["tags"], {"a": "b"})
        disk = self.az("disk", "create", "-g", group, "-n", "back", "--source", "kept")
        self.assertEqual(disk["diskSizeGB"], 8)
        self.az("snapshot", "delete", "-g", group, "-n", "kept")
        self.assertEqual(self.az("snapshot", "list", "-g", group), [])

    def test_upload_and_download(self):
        group = self.group("uploads")
        size = 32 * MIB
        bytes_of = random.Random(291).randbytes
        pages = {0: bytes_of(4 * MIB), 20 * MIB: bytes_of(MIB), 31 * MIB + 512: bytes_of(512)}
        address = self.upload(
            group, "up", pages, size, None, "--os-type", "Windows", "--hyper-v-generation", "V2")
        self.assertEqual(self.az("disk", "show", "-g", group, "-n", "up")["diskState"], "ActiveUpload")
        self.blob(address).clear_page(offset=4 * MIB - 4096, length=4096)
        pages[0] = pages[0][:-4096] + bytes(4096)
        self.az("disk", "revoke-access", "-g", group, "-n", "up")
        disk = self.az("disk", "show", "-g", group, "-n", "up")
        self.assertEqual((disk["diskState"], disk["hyperVGeneration"]), ("Unattached", "V2"))
        with self.assertRaises(HttpResponseError) as caught:
            self.blob(address).upload_page(bytes(512), offset=0, length=512)
        self.assertEqual(caught.exception.status_code, 403)

        self.az("disk", "create", "-g", group, "-n", "copy", "--source", "up")
        self.az("snapshot", "create", "-g", group, "-n", "kept", "--source", "up")
        for kind, name in (("disk", "up"), ("disk", "copy"), ("snapshot", "kept")):
            address = self.az(
                kind, "grant-access", "-g", group, "-n", name, "--access-level", "Read", "--duration-in-seconds",
                "600")["accessSAS"]
            blob = self.blob(address)
            expected = bytearray(size)
            for offset, data in pages.items():
                expected[offset:offset + len(data)] = data
            self.assertEqual(blob.download_blob(0, size).readall(), bytes(expected), name)
            ranges, cleared = blob.get_page_ranges()
            self.assertEqual([r["start"] for r in ranges], [0, 20 * MIB, 31 * MIB], name)
            self.assertEqual(cleared, [])
            self.az(kind, "revoke-access", "-g", group, "-n", name)

    def test_wrong_footer(self):
        group = self.group("footers")
        self.upload(group, "bad", {}, 20 * MIB, b"x" * 512)
        self.assertIn("conectix", self.fails("InvalidVhd", "disk", "revoke-access", "-g", group, "-n", "bad"))
        self.assertEqual(self.az("disk", "show", "-g", group, "-n", "bad")["diskState"], "ReadyToUpload")

    def test_out_of_range(self):
        group = self.group("ranges")
        address = self.upload(group, "up", {}, 20 * MIB)
        with self.assertRaises(HttpResponseError) as caught:
            self.blob(address).upload_page(bytes(512), offset=20 * MIB + 512, length=512)
        self.assertEqual(caught.exception.error_code, "InvalidPageRange")
