"""What the demo does beside salvor: makes a broken machine in the emulated Azure, looks at it, and compares bytes.

Python's standard library alone. Not part of Salvor: it stands for whoever made the machine.
"""

import hashlib
import json
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

API = {
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
        while operation:
            state = self.call("GET", operation)
            if state["status"] == "Succeeded":
                break
            if state["status"] in ("Failed", "Canceled"):
                raise SystemExit(f"{method} {path}: {state}")
            time.sleep(0.5)
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


def same_bytes(azure, group, name, vhd):
    """Whether a disk, which nothing has attached, still holds what was uploaded to it. The footer is Azure's own."""
    path = f"/resourceGroups/{group}/providers/Microsoft.Compute/disks/{name}"
    grant = azure.call(
        "POST", f"{path}/beginGetAccess", {"access": "Read", "durationInSeconds": 600}, API["Microsoft.Compute/disks"])
    _, _, now = azure.send("GET", grant["accessSAS"])
    azure.call("POST", f"{path}/endGetAccess", api=API["Microsoft.Compute/disks"])
    with open(vhd, "rb") as file:
        before = file.read()
    digests = [hashlib.sha256(one[:len(before) - 512]).hexdigest() for one in (before, now)]
    if digests[0] != digests[1]:
        raise SystemExit(f"the original disk has changed: {digests[0]} -> {digests[1]}")
    print(f"The original disk is what it was: SHA-256 {digests[0]}")


def main(endpoint, authority, tenant, subscription, client, secret_file, verb, *arguments):
    with open(secret_file) as file:
        azure = Azure(endpoint, authority, tenant, subscription, client, file.read().strip())
    if verb == "make":
        make_machine(azure, *arguments)
    elif verb == "console":
        wait_for(azure, *arguments[:3], seconds=int(arguments[3]))
    elif verb == "same":
        same_bytes(azure, *arguments)
    elif verb == "delete":
        azure.call("DELETE", f"/resourcegroups/{arguments[0]}")
    elif verb == "groups":
        names = [one["name"] for one in azure.call("GET", "/resourcegroups")["value"]]
        print("Resource groups: " + " ".join(names))
    else:
        raise SystemExit(f"unknown: {verb}")


main(*sys.argv[1:])
