"""Disks and snapshots with their bytes: az for the disks, azure-storage-blob for what is in them."""

import random

from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobClient

from emulator import ClientCase
from vhd import MIB, fixed_footer


class DiskTests(ClientCase):
    def blob(self, address):
        return BlobClient.from_blob_url(address, connection_verify=self.emulator.authority)

    def access(self, kind, group, name, level):
        return self.az(
            kind, "grant-access", "-g", group, "-n", name, "--access-level", level, "--duration-in-seconds",
            "600")["accessSAS"]

    def upload(self, group, name, pages, size, footer=None, *options):
        """A disk whose bytes are uploaded; `pages` by offset."""
        self.az(
            "disk", "create", "-g", group, "-n", name, "--upload-type", "Upload", "--upload-size-bytes",
            str(size + 512), *options)
        address = self.access("disk", group, name, "Write")
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
            blob = self.blob(self.access(kind, group, name, "Read"))
            expected = bytearray(size)
            for offset, data in pages.items():
                expected[offset:offset + len(data)] = data
            self.assertEqual(blob.download_blob(0, size).readall(), bytes(expected), name)
            ranges = list(blob.list_page_ranges())
            self.assertEqual([r.start for r in ranges], [0, 20 * MIB, 31 * MIB, size], name)
            self.assertFalse(any(r.cleared for r in ranges))
            # What is handed out is a VHD again.
            self.assertEqual(blob.get_blob_properties().size, size + 512)
            self.assertEqual(blob.download_blob(size, 512).readall()[:8], b"conectix")
            self.az(kind, "revoke-access", "-g", group, "-n", name)

    def test_download_is_upload(self):
        """A disk that was downloaded whole can be uploaded as it is, in pieces that are checked by their sums."""
        group = self.group("again")
        self.upload(group, "one", {MIB: random.Random(1).randbytes(3 * MIB)}, 20 * MIB)
        self.az("disk", "revoke-access", "-g", group, "-n", "one")
        source = self.az("disk", "show", "-g", group, "-n", "one")
        self.assertEqual((source["diskSizeGB"], source["diskSizeBytes"]), (1, 20 * MIB))
        blob = self.blob(self.access("disk", group, "one", "Read"))
        whole = blob.download_blob(validate_content=True).readall()
        self.assertEqual(len(whole), 20 * MIB + 512)
        self.az(
            "disk", "create", "-g", group, "-n", "two", "--upload-type", "Upload", "--upload-size-bytes",
            str(source["diskSizeBytes"] + 512))
        target = self.blob(self.access("disk", group, "two", "Write"))
        for place in blob.list_page_ranges():
            for start in range(place.start, place.end + 1, 4 * MIB):
                data = whole[start:min(start + 4 * MIB, place.end + 1)]
                target.upload_page(data, offset=start, length=len(data), validate_content=True)
        self.az("disk", "revoke-access", "-g", group, "-n", "two")
        again = self.blob(self.access("disk", group, "two", "Read")).download_blob().readall()
        self.assertEqual(again[:-512], whole[:-512])

    def test_changes(self):
        group = self.group("changes")
        self.az("disk", "create", "-g", group, "-n", "d", "--size-gb", "8", "--sku", "Standard_LRS", "--tags", "a=1", "b=2")
        disk = self.az("disk", "update", "-g", group, "-n", "d", "--sku", "Premium_LRS", "--size-gb", "200")
        self.assertEqual((disk["sku"]["name"], disk["sku"]["tier"], disk["tier"]), ("Premium_LRS", "Premium", "P15"))
        self.assertEqual((disk["diskIOPSReadWrite"], disk["tags"]), (1100, {"a": "1", "b": "2"}))
        disk = self.az("disk", "update", "-g", group, "-n", "d", "--remove", "tags.a")
        self.assertEqual(disk["tags"], {"b": "2"})
        disk = self.az("disk", "update", "-g", group, "-n", "d", "--network-access-policy", "DenyAll")
        self.assertEqual(disk["networkAccessPolicy"], "DenyAll")
        self.fails(
            "OperationNotAllowed", "disk", "grant-access", "-g", group, "-n", "d", "--duration-in-seconds", "60")
        self.az("disk", "update", "-g", group, "-n", "d", "--network-access-policy", "AllowAll")
        self.access("disk", group, "d", "Read")
        self.fails(
            "OperationNotAllowed", "disk", "grant-access", "-g", group, "-n", "d", "--duration-in-seconds", "60")
        self.fails("OperationNotAllowed", "disk", "delete", "-g", group, "-n", "d", "-y")

    def test_copy_to_another_region(self):
        group = self.group("regions")
        self.upload(group, "d", {0: b"x" * 512}, 20 * MIB)
        self.az("disk", "revoke-access", "-g", group, "-n", "d")
        snapshot = self.az("snapshot", "create", "-g", group, "-n", "here", "--source", "d", "--incremental", "true")
        self.assertTrue(snapshot["incrementalSnapshotFamilyId"])
        copy = self.az(
            "snapshot", "create", "-g", group, "-n", "there", "-l", "northeurope", "--source", snapshot["id"],
            "--incremental", "true")
        self.assertEqual(copy["creationData"]["createOption"], "CopyStart")
        while (copy := self.az("snapshot", "show", "-g", group, "-n", "there"))["completionPercent"] < 100:
            pass
        self.assertEqual(copy["incrementalSnapshotFamilyId"], snapshot["incrementalSnapshotFamilyId"])
        blob = self.blob(self.access("snapshot", group, "there", "Read"))
        self.assertEqual(blob.download_blob(0, 1024).readall(), b"x" * 512 + bytes(512))
        self.fails("NotFound", "disk", "create", "-g", group, "-n", "far", "-l", "northeurope", "--source", "d")

    def test_crash(self):
        """An upload goes on after kill -9, by the address that it had."""
        group = self.group("crashes")
        address = self.upload(group, "d", {0: b"a" * 512}, 20 * MIB)
        port = int(self.emulator.base.rsplit(":", 1)[1])
        self.emulator.kill()
        self.emulator.start(port)
        self.blob(address).upload_page(b"b" * 512, offset=512, length=512)
        self.az("disk", "revoke-access", "-g", group, "-n", "d")
        blob = self.blob(self.access("disk", group, "d", "Read"))
        self.assertEqual(blob.download_blob(0, 1024).readall(), b"a" * 512 + b"b" * 512)

    def test_too_long(self):
        """A page that is too long is answered as storage does, though the server does not read it to its end."""
        group = self.group("long")
        blob = self.blob(self.upload(group, "d", {}, 20 * MIB))
        with self.assertRaises(HttpResponseError) as caught:
            blob.upload_page(bytes(4 * MIB + 512), offset=0, length=4 * MIB + 512)
        self.assertEqual((caught.exception.status_code, caught.exception.error_code), (413, "RequestBodyTooLarge"))
        blob.upload_page(bytes(4 * MIB), offset=0, length=4 * MIB)

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
