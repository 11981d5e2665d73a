"""Microsoft's own clients, unpatched, against azure-emulator: each test a piece of work as an operator would do it."""

import contextlib
import json
import unittest

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource import ResourceManagementClient

from emulator import Az, ClientCase, Emulator


class ClientTests(ClientCase):
    def test_sign_in(self):
        account = self.az("account", "show")
        self.assertEqual(account["id"], self.emulator.subscription)
        self.assertEqual(account["tenantId"], self.emulator.tenant)
        token = self.az("account", "get-access-token")
        self.assertGreater(token["expires_on"], 0)

    def test_wrong_secret(self):
        result = Az(self.emulator, "other").run(
            "login", "--service-principal", "-u", self.emulator.application, "-p", "wrong", "--tenant",
            self.emulator.tenant)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("AADSTS7000215", result.stderr)

    def test_failing_deployment(self):
        group = self.group("failing")
        template = self.emulator.folder + "/template.json"
        disk = {
            "type": "Microsoft.Compute/disks", "name": "copy", "apiVersion": "2024-03-02", "location": "westeurope",
            "properties": {"creationData": {
                "createOption": "Copy", "sourceResourceId": "[resourceId('Microsoft.Compute/disks', 'missing')]"}},
        }
        with open(template, "w") as file:
            json.dump({
                "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
                "contentVersion": "1.0.0.0", "resources": [disk]}, file)
        result = self.az.run("deployment", "group", "create", "-g", group, "-n", "d", "--template-file", template)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("DeploymentFailed", result.stderr)
        self.assertIn("ResourceNotFound", result.stderr)

    def clients(self):
        return [self.client(kind) for kind in (ResourceManagementClient, ComputeManagementClient, NetworkManagementClient)]

    def test_sdks(self):
        resources, compute, network = self.clients()
        resources.resource_groups.create_or_update("sdk", {"location": "westeurope"})
        disk = compute.disks.begin_create_or_update(
            "sdk", "one", {"location": "westeurope", "creation_data": {"create_option": "Empty"}, "disk_size_gb": 4},
        ).result()
        self.assertEqual((disk.name, disk.disk_state, disk.disk_size_gb), ("one", "Unattached", 4))
        net = network.virtual_networks.begin_create_or_update(
            "sdk", "net", {
                "location": "westeurope", "properties": {
                    "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                    "subnets": [{"name": "default", "properties": {"addressPrefix": "10.0.0.0/24"}}]}}).result()
        nic = network.network_interfaces.begin_create_or_update(
            "sdk", "nic", {
                "location": "westeurope",
                "properties": {"ipConfigurations": [
                    {"name": "one", "properties": {"subnet": {"id": net.subnets[0].id}}}]}}).result()
        with self.assertRaises(HttpResponseError) as caught:
            network.virtual_networks.begin_delete("sdk", "net").result()
        self.assertEqual(caught.exception.error.code, "InUseSubnetCannotBeDeleted")
        network.network_interfaces.begin_delete("sdk", nic.name).result()
        network.virtual_networks.begin_delete("sdk", "net").result()
        with self.assertRaises(ResourceNotFoundError):
            compute.disks.get("sdk", "two")
        resources.resource_groups.begin_delete("sdk").result()
        self.assertFalse(resources.resource_groups.check_existence("sdk"))

    def test_kill(self):
        """State on disk is that of the last answered request, and operations go on after kill -9."""
        emulator = Emulator("--latency", "1500")
        self.addCleanup(emulator.close)
        port = int(emulator.base.rsplit(":", 1)[1])
        self_emulator, type(self).emulator = self.emulator, emulator
        with contextlib.ExitStack() as stack:
            stack.callback(lambda: setattr(type(self), "emulator", self_emulator))
            resources, compute, _ = self.clients()
            resources.resource_groups.create_or_update("kept", {"location": "westeurope"})
            poller = compute.disks.begin_create_or_update(
                "kept", "one",
                {"location": "westeurope", "creation_data": {"create_option": "Empty"}, "disk_size_gb": 4}, polling=False)
            emulator.kill()
            emulator.start(port)
            resources, compute, _ = self.clients()
            disk = compute.disks.get("kept", "one")
            self.assertIn(disk.provisioning_state, ("Updating", "Succeeded"))
            while disk.provisioning_state != "Succeeded":
                disk = compute.disks.get("kept", "one")
            self.assertEqual(disk.disk_state, "Unattached")
            self.assertIsNotNone(poller)


if __name__ == "__main__":
    unittest.main()
