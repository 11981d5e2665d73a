"""Groups, tags, deployments and sets, by az and what belongs to it."""

import json
import unittest

from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.resource import SubscriptionClient

from emulator import ClientCase

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


class ResourceTests(ClientCase):
    def template(self, name, **parts):
        path = f"{self.emulator.folder}/{name}.json"
        with open(path, "w") as file:
            json.dump({"$schema": SCHEMA, "contentVersion": "1.0.0.0", **parts}, file)
        return path

    def test_groups_and_tags(self):
        group = self.group("tagged")
        self.az("group", "update", "-n", group, "--tags", "use=test", "owner=me")
        self.assertEqual([g["name"] for g in self.az("group", "list", "--tag", "use=test")], [group])
        self.assertEqual(self.az("group", "list", "--tag", "use=other"), [])
        disk = self.az("disk", "create", "-g", group, "-n", "one", "--size-gb", "4")
        self.az("tag", "create", "--resource-id", disk["id"], "--tags", "a=1", "b=2")
        self.az("tag", "update", "--resource-id", disk["id"], "--operation", "Merge", "--tags", "b=3")
        self.assertEqual(
            self.az("tag", "list", "--resource-id", disk["id"])["properties"]["tags"], {"a": "1", "b": "3"})
        self.assertEqual([r["name"] for r in self.az("resource", "list", "--tag", "b=3")], ["one"])
        self.assertEqual(
            [r["name"] for r in self.az("resource", "list", "-g", group, "--resource-type", "Microsoft.Compute/disks")],
            ["one"])
        self.az("tag", "delete", "--resource-id", disk["id"], "-y")
        self.assertFalse(self.az("disk", "show", "-g", group, "-n", "one")["tags"])
        self.assertTrue(self.az("group", "exists", "-n", group))
        self.az("group", "delete", "-n", group, "-y")
        self.assertFalse(self.az("group", "exists", "-n", group))

    def test_providers_and_tenants(self):
        self.az("provider", "register", "-n", "Microsoft.Compute", "--wait")
        self.assertEqual(
            self.az("provider", "show", "-n", "Microsoft.Compute")["registrationState"], "Registered")
        subscriptions = self.client(lambda credential, _, **options: SubscriptionClient(credential, **options))
        self.assertEqual([t.tenant_id for t in subscriptions.tenants.list()], [self.emulator.tenant])
        skus = self.az("vm", "list-skus", "-l", "westeurope", "--size", "Standard_D2s_v4", "--all")
        capabilities = {c["name"]: c["value"] for c in skus[0]["capabilities"]}
        self.assertEqual(capabilities["MaxDataDiskCount"], "4")
        usages = {u["name"]["value"]: u["limit"] for u in self.az("vm", "list-usage", "-l", "westeurope")}
        self.assertIn("standardDSv5Family", usages)

    def test_deployment_with_outputs(self):
        group = self.group("deployed")
        file = self.template(
            "outputs",
            parameters={"count": {"type": "int", "minValue": 1}, "prefix": {"type": "string", "defaultValue": "disk"}},
            variables={"net": "[concat('net-', uniqueString(resourceGroup().id))]"},
            resources=[
                {
                    "type": "Microsoft.Compute/disks", "apiVersion": "2024-03-02",
                    "name": "[format('{0}-{1}', parameters('prefix'), copyIndex())]", "location": "[resourceGroup().location]",
                    "copy": {"name": "disks", "count": "[parameters('count')]"},
                    "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": "[add(4, copyIndex())]"},
                },
                {
                    "type": "Microsoft.Network/virtualNetworks", "apiVersion": "2024-01-01", "name": "[variables('net')]",
                    "location": "westeurope", "dependsOn": ["disks"],
                    "properties": {
                        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                        "subnets": [{"name": "default", "properties": {"addressPrefix": "10.0.0.0/24"}}]},
                },
            ],
            outputs={
                "subnet": {
                    "type": "string",
                    "value": "[reference(resourceId('Microsoft.Network/virtualNetworks', variables('net'))).subnets[0].id]"},
                "sizes": {"type": "array", "copy": {
                    "count": "[parameters('count')]",
                    "input": "[reference(resourceId('Microsoft.Compute/disks', format('{0}-{1}', parameters('prefix'),"
                             " copyIndex()))).diskSizeGB]"}},
            })
        place = ("-g", group, "-n", "d")
        result = self.az("deployment", "group", "create", *place, "--template-file", file, "--parameters", "count=2")
        outputs = result["properties"]["outputs"]
        self.assertEqual(outputs["sizes"]["value"], [4, 5])
        self.assertTrue(outputs["subnet"]["value"].endswith("/subnets/default"))
        self.assertEqual(len(result["properties"]["outputResources"]), 3)
        self.assertEqual([d["name"] for d in self.az("deployment", "group", "list", "-g", group)], ["d"])
        operations = self.az("deployment", "operation", "group", "list", *place)
        self.assertEqual({o["properties"]["provisioningState"] for o in operations}, {"Succeeded"})
        exported = self.az("deployment", "group", "export", *place)
        self.assertEqual(exported["parameters"]["prefix"]["defaultValue"], "disk")
        self.az("deployment", "group", "validate", *place, "--template-file", file, "--parameters", "count=2")
        result = self.az.run(
            "deployment", "group", "create", *place, "--template-file", file, "--parameters", "count=0")
        self.assertIn("InvalidTemplate", result.stderr)
        self.az("deployment", "group", "delete", *place)
        self.assertEqual(self.az("deployment", "group", "list", "-g", group), [])
        self.assertEqual(len(self.az("disk", "list", "-g", group)), 2)

    def test_failing_deployment(self):
        group = self.group("failed")
        file = self.template("failing", resources=[
            {"type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "2024-01-01", "name": "nsg",
             "location": "westeurope", "properties": {"securityRules": [{"name": "bad", "properties": {
                 "protocol": "*", "access": "Allow", "direction": "Inbound", "priority": 7, "sourcePortRange": "*",
                 "destinationPortRange": "*", "sourceAddressPrefix": "*", "destinationAddressPrefix": "*"}}]}}])
        result = self.az.run("deployment", "group", "create", "-g", group, "-n", "d", "--template-file", file)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("DeploymentFailed", result.stderr)
        self.assertIn("SecurityRuleInvalidPriority", result.stderr)
        operations = self.az("deployment", "operation", "group", "list", "-g", group, "-n", "d")
        failed = [o["properties"] for o in operations if o["properties"]["provisioningState"] == "Failed"]
        self.assertEqual(failed[0]["statusMessage"]["error"]["code"], "SecurityRuleInvalidPriority")
        circle = self.template("circle", resources=[
            {"type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "2024-01-01", "name": name,
             "location": "westeurope", "dependsOn": [other]} for name, other in (("a", "b"), ("b", "a"))])
        result = self.az.run("deployment", "group", "create", "-g", group, "-n", "c", "--template-file", circle)
        self.assertIn("Circular dependency", result.stderr)
        self.assertEqual(self.az("network", "nsg", "list", "-g", group), [])

    def test_sets(self):
        group = self.group("sets")
        made = self.az("vm", "availability-set", "create", "-g", group, "-n", "set")
        self.assertEqual(made["sku"]["name"], "Aligned")
        self.assertEqual([s["name"] for s in self.az("vm", "availability-set", "list", "-g", group)], ["set"])
        self.az("vm", "availability-set", "delete", "-g", group, "-n", "set")
        compute = self.client(ComputeManagementClient)
        keys = compute.disk_encryption_sets.begin_create_or_update(group, "keys", {
            "location": "westeurope", "identity": {"type": "SystemAssigned"},
            "active_key": {"key_url": "https://v.vault.localhost/keys/k/1"}}).result()
        self.assertTrue(keys.identity.principal_id)
        compute.disk_encryption_sets.begin_delete(group, "keys").result()


class OfferTests(ClientCase):
    options = ("--unavailable", "Standard_D4s_v5@westeurope/1", "--quota", "standardDSv4Family=1")

    def test_restrictions_and_quota(self):
        group = self.group("offers")
        skus = self.az("vm", "list-skus", "-l", "westeurope", "--size", "Standard_D4s_v5", "--all")
        restriction = skus[0]["restrictions"][0]
        self.assertEqual((restriction["type"], restriction["restrictionInfo"]["zones"]), ("Zone", ["1"]))
        base = (
            "vm", "create", "-g", group, "-n", "vm", "--image",
            "MicrosoftWindowsServer:WindowsServer:2022-datacenter-g2:latest", "--admin-username", "operator",
            "--admin-password", "Not-a-secret-1234")
        result = self.az.run(*base, "--size", "Standard_D4s_v5", "--zone", "1")
        self.assertIn("SkuNotAvailable", result.stderr)
        result = self.az.run(*base, "--size", "Standard_D2s_v4")
        self.assertIn("exceeding approved standardDSv4Family Cores quota", result.stderr)
        self.assertEqual(self.az("resource", "list", "-g", group), [])


if __name__ == "__main__":
    unittest.main()
