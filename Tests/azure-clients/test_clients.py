"""Microsoft's own clients, unpatched, against azure-emulator: each test a piece of work as an operator would do it."""

import json
import unittest

from emulator import Az, ClientCase


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


if __name__ == "__main__":
    unittest.main()
