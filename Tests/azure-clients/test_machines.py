"""Virtual machines as az drives them: power, disks, swap, run-command, boot diagnostics, and what fails."""

import json
import re
import unittest

from azure.core.exceptions import HttpResponseError
from azure.mgmt.compute import ComputeManagementClient

from emulator import ClientCase

WINDOWS = "MicrosoftWindowsServer:WindowsServer:2022-datacenter-g2:latest"


class MachineTests(ClientCase):
    def machine(self, group, name="vm", *options):
        return self.az(
            "vm", "create", "-g", group, "-n", name, "--image", WINDOWS, "--size", "Standard_D2s_v5",
            "--admin-username", "operator", "--admin-password", "Not-a-secret-1234", "--nsg", "", "--public-ip-address",
            "", *options)

    def power(self, group, name="vm"):
        return self.az("vm", "get-instance-view", "-g", group, "-n", name)["instanceView"]["statuses"][-1]["code"]

    def test_power(self):
        group = self.group("power")
        made = self.machine(group)
        self.assertEqual(made["powerState"], "VM running")
        for action, state in (("stop", "stopped"), ("start", "running"), ("restart", "running"),
                              ("deallocate", "deallocated"), ("start", "running")):
            self.az("vm", action, "-g", group, "-n", "vm")
            self.assertEqual(self.power(group), "PowerState/" + state, action)
        self.az("vm", "deallocate", "-g", group, "-n", "vm")
        self.fails("OperationNotAllowed", "vm", "restart", "-g", group, "-n", "vm")

    def test_data_disks(self):
        group = self.group("data")
        self.machine(group)
        for lun in (0, 1):
            self.az("disk", "create", "-g", group, "-n", f"d{lun}", "--size-gb", "4")
        self.az("vm", "disk", "attach", "-g", group, "--vm-name", "vm", "--disks", "d0", "d1")
        disks = self.az("vm", "show", "-g", group, "-n", "vm")["storageProfile"]["dataDisks"]
        self.assertEqual([(d["lun"], d["name"]) for d in disks], [(0, "d0"), (1, "d1")])
        self.fails("OperationNotAllowed", "disk", "delete", "-g", group, "-n", "d0", "-y")
        self.az("vm", "disk", "attach", "-g", group, "--vm-name", "vm", "-n", "fresh", "--new", "--size-gb", "8")
        self.az("vm", "disk", "detach", "-g", group, "--vm-name", "vm", "-n", "d0")
        self.assertEqual(self.az("disk", "show", "-g", group, "-n", "d0")["diskState"], "Unattached")
        self.machine(group, "other")
        self.assertIn(
            "already owned by VM",
            self.fails("ConflictingUserInput", "vm", "disk", "attach", "-g", group, "--vm-name", "other", "-n", "d1"))
        self.az("vm", "disk", "detach", "-g", group, "--vm-name", "vm", "-n", "d1", "--force-detach")
        self.az("vm", "disk", "attach", "-g", group, "--vm-name", "other", "-n", "d1")

    def test_swap(self):
        group = self.group("swap")
        self.machine(group)
        old = self.az("vm", "show", "-g", group, "-n", "vm")["storageProfile"]["osDisk"]["managedDisk"]["id"]
        new = self.az(
            "disk", "create", "-g", group, "-n", "new", "--source", old, "--hyper-v-generation", "V2")["id"]
        machine = self.az("vm", "update", "-g", group, "-n", "vm", "--os-disk", new)
        self.assertEqual(machine["storageProfile"]["osDisk"]["name"], "new")
        states = {d["name"]: d["diskState"] for d in self.az("disk", "list", "-g", group)}
        self.assertEqual(states, {"new": "Attached", old.split("/")[-1]: "Unattached"})
        self.az("disk", "create", "-g", group, "-n", "gen1", "--source", old, "--hyper-v-generation", "V1")
        self.fails("PropertyChangeNotAllowed", "vm", "update", "-g", group, "-n", "vm", "--os-disk", "gen1")
        self.az("vm", "delete", "-g", group, "-n", "vm", "-y")
        self.assertEqual(self.az("disk", "show", "-g", group, "-n", "new")["diskState"], "Unattached")

    def test_attach_os_disk(self):
        group = self.group("specialised")
        self.az("disk", "create", "-g", group, "-n", "os", "--size-gb", "30", "--os-type", "Linux",
                "--hyper-v-generation", "V2")
        self.az("vm", "create", "-g", group, "-n", "vm", "--attach-os-disk", "os", "--os-type", "linux", "--size",
                "Standard_D2s_v5", "--nsg", "", "--public-ip-address", "", "--user-data", "hello")
        machine = self.az("vm", "show", "-g", group, "-n", "vm")
        self.assertEqual(machine["storageProfile"]["osDisk"]["createOption"], "Attach")
        self.assertIsNone(machine.get("userData"))
        shown = self.az("vm", "show", "-g", group, "-n", "vm", "--include-user-data")
        self.assertEqual(shown["userData"], "aGVsbG8=")

    def test_run_command(self):
        group = self.group("commands")
        self.machine(group)
        result = self.az(
            "vm", "run-command", "invoke", "-g", group, "-n", "vm", "--command-id", "RunPowerShellScript", "--scripts",
            "Get-Date")
        self.assertEqual(
            [v["code"] for v in result["value"]],
            ["ComponentStatus/StdOut/succeeded", "ComponentStatus/StdErr/succeeded"])
        self.az("vm", "deallocate", "-g", group, "-n", "vm")
        self.fails(
            "OperationNotAllowed", "vm", "run-command", "invoke", "-g", group, "-n", "vm", "--command-id",
            "RunPowerShellScript", "--scripts", "Get-Date")

    def test_extensions(self):
        group = self.group("extensions")
        self.machine(group)
        self.az(
            "vm", "extension", "set", "-g", group, "--vm-name", "vm", "-n", "CrowdStrike.FalconSensor", "--publisher",
            "CrowdStrike.Falcon", "--version", "1.0")
        self.assertEqual(
            [e["name"] for e in self.az("vm", "extension", "list", "-g", group, "--vm-name", "vm")],
            ["CrowdStrike.FalconSensor"])
        self.az("vm", "extension", "delete", "-g", group, "--vm-name", "vm", "-n", "CrowdStrike.FalconSensor")
        self.assertEqual(self.az("vm", "extension", "list", "-g", group, "--vm-name", "vm"), [])

    def test_update_and_lists(self):
        group = self.group("updates")
        self.machine(group, "vm", "--tags", "a=b")
        self.assertEqual(self.az("vm", "update", "-g", group, "-n", "vm", "--set", "tags.c=d")["tags"],
                         {"a": "b", "c": "d"})
        self.az("vm", "deallocate", "-g", group, "-n", "vm")
        self.az("vm", "resize", "-g", group, "-n", "vm", "--size", "Standard_D4s_v5")
        self.assertEqual([m["name"] for m in self.az("vm", "list", "-g", group, "-d")], ["vm"])
        self.assertIn("vm", [m["name"] for m in self.az("vm", "list")])
        sizes = [s["name"] for s in self.az("vm", "list-sizes", "-l", "westeurope")]
        self.assertIn("Standard_D2s_v5", sizes)
        self.assertTrue(self.az("vm", "list-usage", "-l", "westeurope"))
        self.assertTrue(self.az("vm", "list-skus", "-l", "westeurope", "--resource-type", "virtualMachines"))

    def test_failures(self):
        group = self.group("failures")
        self.machine(group)
        self.fault({"path": "*/virtualMachines/vm", "verb": "deallocate", "fail": {
            "code": "AllocationFailed", "message": "Allocation failed."}})
        self.fails("AllocationFailed", "vm", "deallocate", "-g", group, "-n", "vm")
        # az tries again by itself, and the second answer is a good one.
        self.fault({"method": "GET", "path": "*/virtualMachines/vm", "times": 1,
                    "refuse": {"status": 429, "code": "TooManyRequests", "retryAfter": 1}})
        self.assertEqual(self.az("vm", "show", "-g", group, "-n", "vm")["name"], "vm")
        self.assertEqual(self.hits(), [1])
        self.fault({"method": "GET", "path": "*/virtualMachines/vm", "times": 1, "lose": True})
        self.assertEqual(self.az("vm", "show", "-g", group, "-n", "vm")["name"], "vm")
        self.assertEqual(self.hits(), [1])
        self.fault()

    def fault(self, *rules):
        self.az("rest", "--method", "put", "--url", "/emulator/faults", "--body", json.dumps({"rules": rules}))

    def hits(self):
        return self.az("rest", "--method", "get", "--url", "/emulator/faults")["hits"]


class ThrottleTests(ClientCase):
    """Azure's limits, as a client without patience sees them."""

    def test_too_many_changes(self):
        group = self.group("limits")
        self.az("disk", "create", "-g", group, "-n", "os", "--size-gb", "30", "--os-type", "Linux")
        self.az("vm", "create", "-g", group, "-n", "vm", "--attach-os-disk", "os", "--os-type", "linux", "--size",
                "Standard_D2s_v5", "--nsg", "", "--public-ip-address", "")
        compute = self.client(ComputeManagementClient, retry_total=0)
        with self.assertRaises(HttpResponseError) as caught:
            for number in range(20):
                compute.virtual_machines.begin_update(group, "vm", {"tags": {"n": str(number)}}).result()
        self.assertEqual(caught.exception.status_code, 429)
        self.assertTrue(re.fullmatch("[0-9]+", caught.exception.response.headers["Retry-After"]))
        self.assertEqual(caught.exception.error.code, "OperationNotAllowed")


if __name__ == "__main__":
    unittest.main()
