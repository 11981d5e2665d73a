"""Deployments into a subscription: a group, and in it a machine with all that it needs, by one request."""

import base64
import unittest

from azure.core.exceptions import HttpResponseError
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.deployments import DeploymentsMgmtClient
from azure.mgmt.resource.resources import ResourceManagementClient

from emulator import SDKCase
from rescue_template import TEMPLATE


class DeploymentTests(SDKCase):
    def setUp(self):
        self.deployments = self.client(DeploymentsMgmtClient).deployments
        self.compute = self.client(ComputeManagementClient)

    def deployment(self, **parameters):
        return {"location": "westeurope", "properties": {
            "mode": "Incremental", "template": TEMPLATE,
            "parameters": {name: {"value": value} for name, value in parameters.items()}}}

    def test_rescue_machine(self):
        self.make_group("source")
        disk = self.compute.disks.begin_create_or_update("source", "os", {"location": "westeurope", "properties": {
            "creationData": {"createOption": "Empty"}, "diskSizeGB": 4, "osType": "Linux",
            "hyperVGeneration": "V2"}}).result()
        secret = base64.b64encode(b"told in secret").decode()
        wanted = self.deployment(group="rescue", osDisk=disk.id, userData=secret)
        checked = self.deployments.begin_validate_at_subscription_scope("rescue", wanted).result()
        self.assertIsNone(checked.error)
        made = self.deployments.begin_create_or_update_at_subscription_scope("rescue", wanted).result()
        self.assertEqual(made.properties.provisioning_state, "Succeeded")
        self.assertEqual(made.location, "westeurope")
        machine = self.compute.virtual_machines.get("rescue", "rescue", expand="userData")
        self.assertEqual(made.properties.outputs["machine"]["value"].lower(), machine.id.lower())
        self.assertEqual(machine.user_data, secret)
        interfaces = list(self.client(NetworkManagementClient).network_interfaces.list("rescue"))
        self.assertEqual([one.virtual_machine.id for one in interfaces], [machine.id])
        shown = self.deployments.get_at_subscription_scope("rescue")
        self.assertEqual(shown.properties.parameters["userData"], {"type": "SecureString"})
        self.assertIn("rescue", [one.name for one in self.deployments.list_at_subscription_scope()])
        with open(self.emulator.record) as file:
            self.assertNotIn(secret, file.read())
        # Again, as after a crash: it finds what it has made.
        again = self.deployments.begin_create_or_update_at_subscription_scope("rescue", wanted).result()
        self.assertEqual(again.properties.provisioning_state, "Succeeded")
        self.assertEqual(len(list(self.client(NetworkManagementClient).network_interfaces.list("rescue"))), 1)
        self.client(ResourceManagementClient).resource_groups.begin_delete("rescue").result()
        self.deployments.begin_delete_at_subscription_scope("rescue").result()
        self.assertNotIn("rescue", [one.name for one in self.deployments.list_at_subscription_scope()])

    def test_failure(self):
        missing = f"/subscriptions/{self.emulator.subscription}/resourceGroups/none/providers/Microsoft.Compute/disks/d"
        wanted = self.deployment(group="broken", osDisk=missing, userData="eA==")
        with self.assertRaises(HttpResponseError) as caught:
            self.deployments.begin_create_or_update_at_subscription_scope("broken", wanted).result()
        self.assertEqual(caught.exception.error.code, "DeploymentFailed")
        self.assertEqual(
            self.deployments.get_at_subscription_scope("broken").properties.provisioning_state, "Failed")
        wanted["location"] = "northeurope"
        with self.assertRaises(HttpResponseError) as caught:
            self.deployments.begin_create_or_update_at_subscription_scope("broken", wanted).result()
        self.assertEqual(caught.exception.error.code, "InvalidDeploymentLocation")


if __name__ == "__main__":
    unittest.main()
