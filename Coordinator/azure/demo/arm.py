"""What the demo does beside salvor: makes a broken machine in the emulated Azure, looks at it, and compares bytes.

Python's standard library alone. Not part of Salvor: it stands for whoever made the machine.
"""

import base64
import hashlib
import json
import ssl
import struct
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

VAULT_API = "7.4"

API = {
    "Microsoft.KeyVault/vaults": "2023-07-01",
    "Microsoft.Compute/disks": "2025-01-02",
    "Microsoft.Compute/virtualMachines": "2024-11-01",
    "Microsoft.Network/virtualNetworks": "2024-05-01",
    "Microsoft.Network/networkInterfaces": "2024-05-01",
}


class Azure:
    def __init__(self, endpoint, authority, tenant, subscription, client, secret):
        self.endpoint = endpoint
        self.root = f"/subscriptions/{subscription}"
        self.context = ssl.create_default_context(cafile=authority)
        form = urllib.parse.urlencode(
            {
                "grant_type": "client_credentials", "client_id": client, "client_secret": secret,
                "scope": f"{endpoint}/.default",
            })
        _, _, body = self.send("POST", f"{endpoint}/{tenant}/oauth2/v2.0/token", form.encode())
        self.token = json.loads(body)["access_token"]
        self.tenant, self.client, self.secret = tenant, client, secret

    def object_id(self):
        """Of the application, as vaults' access policies name it."""
        claims = self.token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["oid"]

    def vault(self, method, url, body):
        form = urllib.parse.urlencode(
            {
                "grant_type": "client_credentials", "client_id": self.client, "client_secret": self.secret,
                "scope": "https://vault.azure.net/.default",
            })
        _, _, answer = self.send("POST", f"{self.endpoint}/{self.tenant}/oauth2/v2.0/token", form.encode())
        headers = {
            "Authorization": f"Bearer {json.loads(answer)['access_token']}", "Content-Type": "application/json"}
        _, _, content = self.send(method, f"{url}?api-version={VAULT_API}", json.dumps(body).encode(), headers)
        return json.loads(content)

    def send(self, method, url, body=None, headers={}):
        request = urllib.request.Request(url, body, headers, method=method)
        with urllib.request.urlopen(request, context=self.context, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()

    def call(self, method, path, body=None, api="2024-11-01"):
        """The answer's body, once what was begun has ended."""
        url = path if path.startswith("https:") else f"{self.endpoint}{self.root}{path}"
        if "api-version=" not in url:
            url += ("&" if "?" in url else "?") + f"api-version={api}"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        status, answer, content = self.send(method, url, None if body is None else json.dumps(body).encode(), headers)
        result = json.loads(content) if content else None
        operation = answer.get("Azure-AsyncOperation")
        pause = 0.5
        while operation:
            state = self.call("GET", operation)
            if state["status"] == "Succeeded":
                break
            if state["status"] in ("Failed", "Canceled"):
                raise SystemExit(f"{method} {path}: {state}")
            # Azure lets one ask 15 times a minute, and 45 times at once.
            time.sleep(pause)
            pause = min(2 * pause, 4)
        if operation and method == "POST" and answer.get("Location"):
            return self.call("GET", answer["Location"])
        return result

    def make(self, group, kind, name, properties, **more):
        path = f"/resourceGroups/{group}/providers/{kind}/{name}"
        self.call("PUT", path, {"location": "westeurope", "properties": properties, **more}, API[kind])
        return f"{self.root}{path}"


def upload(azure, group, name, vhd, generation):
    size = len(vhd)
    disk = azure.make(
        group, "Microsoft.Compute/disks", name,
        {
            "osType": "Windows", "hyperVGeneration": generation,
            "creationData": {"createOption": "Upload", "uploadSizeBytes": size},
        }, sku={"name": "Premium_LRS"})
    path = f"/resourceGroups/{group}/providers/Microsoft.Compute/disks/{name}"
    grant = azure.call(
        "POST", f"{path}/beginGetAccess", {"access": "Write", "durationInSeconds": 600}, API["Microsoft.Compute/disks"])
    for offset in range(0, size, 4 << 20):
        page = vhd[offset:offset + (4 << 20)]
        if page.count(0) == len(page):
            continue
        azure.send(
            "PUT", grant["accessSAS"] + "&comp=page", page,
            {
                "x-ms-version": "2020-10-02", "x-ms-page-write": "update",
                "x-ms-range": f"bytes={offset}-{offset + len(page) - 1}",
            })
    azure.call("POST", f"{path}/endGetAccess", api=API["Microsoft.Compute/disks"])
    return disk


def make_machine(azure, group, name, vhd, generation):
    azure.call("PUT", f"/resourcegroups/{group}", {"location": "westeurope"})
    network = azure.make(
        group, "Microsoft.Network/virtualNetworks", "net",
        {
            "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
            "subnets": [{"name": "default", "properties": {"addressPrefix": "10.1.0.0/24"}}],
        })
    interface = azure.make(
        group, "Microsoft.Network/networkInterfaces", f"{name}-nic",
        {"ipConfigurations": [{"name": "ip", "properties": {"subnet": {"id": f"{network}/subnets/default"}}}]})
    with open(vhd, "rb") as file:
        disk = upload(azure, group, f"{name}-os", file.read(), generation)
    azure.make(
        group, "Microsoft.Compute/virtualMachines", name,
        {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "storageProfile": {
                "osDisk": {"createOption": "Attach", "osType": "Windows", "managedDisk": {"id": disk}}
            },
            "networkProfile": {"networkInterfaces": [{"id": interface}]},
            "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
        })


def encrypt(azure, group, name, key_file):
    """Tells Azure what encrypts a machine's disk, as its disk encryption does: the startup key in a vault, wrapped there."""
    vault = azure.make(
        group, "Microsoft.KeyVault/vaults", f"{group}-keys",
        {
            "tenantId": azure.tenant, "sku": {"family": "A", "name": "standard"}, "enabledForDiskEncryption": True,
            "accessPolicies": [
                {
                    "tenantId": azure.tenant, "objectId": azure.object_id(),
                    "permissions": {"secrets": ["get", "set"], "keys": ["create", "wrapKey", "unwrapKey"]},
                }
            ],
        })
    home = azure.call("GET", vault[len(azure.root):], api=API["Microsoft.KeyVault/vaults"])["properties"]["vaultUri"]
    with open(key_file, "rb") as file:
        key = base64.urlsafe_b64encode(file.read()).decode().rstrip("=")
    wrapping = azure.vault("POST", f"{home}keys/kek/create", {"kty": "RSA", "key_size": 2048})["key"]["kid"]
    wrapped = azure.vault("POST", f"{wrapping}/wrapkey", {"alg": "RSA-OAEP", "value": key})["value"]
    secret = azure.vault(
        "PUT", f"{home}secrets/{name}",
        {
            "value": wrapped, "contentType": "Wrapped BEK",
            "tags": {"DiskEncryptionKeyEncryptionAlgorithm": "RSA-OAEP", "MachineName": name},
        })["id"]
    azure.call(
        "PATCH", f"/resourceGroups/{group}/providers/Microsoft.Compute/disks/{name}-os",
        {
            "properties": {
                "encryptionSettingsCollection": {
                    "enabled": True, "encryptionSettingsVersion": "1.1",
                    "encryptionSettings": [
                        {
                            "diskEncryptionKey": {"secretUrl": secret, "sourceVault": {"id": vault}},
                            "keyEncryptionKey": {"keyUrl": wrapping, "sourceVault": {"id": vault}},
                        }
                    ],
                }
            }
        }, API["Microsoft.Compute/disks"])


def console(azure, group, name):
    data = azure.call(
        "POST", f"/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}/retrieveBootDiagnosticsData")
    return azure.send("GET", data["serialConsoleLogBlobUri"])[2].decode(errors="replace")


def wait_for(azure, group, name, line, seconds):
    end = time.monotonic() + seconds
    text = ""
    while time.monotonic() < end:
        try:
            text = console(azure, group, name)
        except urllib.error.HTTPError:
            text = ""
        if line in text:
            print(next(one.strip() for one in text.splitlines() if line in one))
            return
        # A machine answers 12 such calls at once, and 4 in a minute after that.
        time.sleep(5)
    raise SystemExit(f"“{line}” was not on the console of {name} within {seconds} s:\n{text[-2000:]}")


def download(azure, group, name):
    """What is on a disk that nothing has attached."""
    path = f"/resourceGroups/{group}/providers/Microsoft.Compute/disks/{name}"
    grant = azure.call(
        "POST", f"{path}/beginGetAccess", {"access": "Read", "durationInSeconds": 600}, API["Microsoft.Compute/disks"])
    _, _, content = azure.send("GET", grant["accessSAS"])
    azure.call("POST", f"{path}/endGetAccess", api=API["Microsoft.Compute/disks"])
    return content


def encryption(disk):
    """The BitLocker metadata of each encrypted volume of a disk (GPT): its header, and the copies that this names."""
    entries, count, size = struct.unpack_from("<QII", disk, 512 + 72)
    found = []
    for index in range(count):
        first, = struct.unpack_from("<Q", disk, entries * 512 + index * size + 32)
        start = first * 512
        if first and disk[start + 3:start + 11] == b"-FVE-FS-":
            copies = struct.unpack_from("<3Q", disk, start + 176)
            found.append([disk[start:start + 512]] + [disk[start + at:start + at + 65536] for at in copies])
    return found


def still_encrypted(azure, group, name):
    """Whether a machine's disk is encrypted as its original is, by the same protectors. Deletes the machine: Azure lets
    nobody read the disk of one that runs."""
    path = f"/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
    disk = azure.call("GET", path)["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"].split("/")[-1]
    azure.call("DELETE", path)
    before, now = (encryption(download(azure, group, one)) for one in (f"{name}-os", disk))
    if not before or before != now:
        raise SystemExit(f"the encryption of {disk} is another than that of {name}-os")
    print(f"The repaired disk is encrypted as the original is: {len(before[0])} blocks of BitLocker's metadata are the same.")


def same_bytes(azure, group, name, vhd):
    """Whether a disk, which nothing has attached, still holds what was uploaded to it. The footer is Azure's own."""
    now = download(azure, group, name)
    with open(vhd, "rb") as file:
        before = file.read()
    digests = [hashlib.sha256(one[:len(before) - 512]).hexdigest() for one in (before, now)]
    if digests[0] != digests[1]:
        raise SystemExit(f"the original disk has changed: {digests[0]} -> {digests[1]}")
    print(f"The original disk is what it was: SHA-256 {digests[0]}")


def delete_group(azure, group):
    """Returns when it is gone: its machines run on otherwise, when the emulator ends before they are deleted."""
    azure.call("DELETE", f"/resourcegroups/{group}")
    while any(one["name"] == group for one in azure.call("GET", "/resourcegroups")["value"]):
        time.sleep(1)


def main(endpoint, authority, tenant, subscription, client, secret_file, verb, *arguments):
    with open(secret_file) as file:
        azure = Azure(endpoint, authority, tenant, subscription, client, file.read().strip())
    if verb == "make":
        make_machine(azure, *arguments)
    elif verb == "encrypt":
        encrypt(azure, *arguments)
    elif verb == "still-encrypted":
        still_encrypted(azure, *arguments)
    elif verb == "console":
        wait_for(azure, *arguments[:3], seconds=int(arguments[3]))
    elif verb == "same":
        same_bytes(azure, *arguments)
    elif verb == "delete":
        delete_group(azure, arguments[0])
    elif verb == "groups":
        names = [one["name"] for one in azure.call("GET", "/resourcegroups")["value"]]
        print("Resource groups: " + " ".join(names))
    else:
        raise SystemExit(f"unknown: {verb}")


main(*sys.argv[1:])
