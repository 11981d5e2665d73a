"""Vaults, their secrets and their keys, as az uses them."""

import unittest
import uuid

from azure.core.exceptions import HttpResponseError
from azure.keyvault.secrets import SecretClient

from emulator import ClientCase


class KeyVaultTests(ClientCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.az("group", "create", "-n", "vaults", "-l", "westeurope")
        cls.vault = cls.make_vault("--enable-rbac-authorization", "false")

    @classmethod
    def make_vault(cls, *options):
        return cls.az(
            "keyvault", "create", "-g", "vaults", "-n", "v" + uuid.uuid4().hex[:12], "-l", "westeurope", *options)

    def secrets(self, vault=None):
        return self.data(SecretClient, (vault or self.vault)["properties"]["vaultUri"])

    def test_vault(self):
        shown = self.az("keyvault", "show", "-g", "vaults", "-n", self.vault["name"])
        self.assertEqual(shown["properties"]["vaultUri"], self.vault["properties"]["vaultUri"])
        self.assertRegex(shown["properties"]["vaultUri"], r"^https://localhost:\d+/$")
        self.assertIn(self.vault["name"], [one["name"] for one in self.az("keyvault", "list", "-g", "vaults")])

    def test_secrets_of_az(self):
        uri = self.vault["properties"]["vaultUri"]
        # az finds a vault by its name through the name service alone; by its address it needs none.
        made = self.secrets().set_secret("az", "hello")
        self.assertEqual(self.az("keyvault", "secret", "show", "--id", made.id)["value"], "hello")
        self.assertEqual(self.az("keyvault", "secret", "show", "--id", uri + "secrets/az")["value"], "hello")
        self.az("keyvault", "secret", "set-attributes", "--id", uri + "secrets/az", "--enabled", "false")
        self.assertIn("SecretDisabled", self.az.run("keyvault", "secret", "show", "--id", uri + "secrets/az").stderr)

    def test_roles(self):
        vault = self.make_vault("--enable-rbac-authorization", "true")
        client = self.secrets(vault)
        with self.assertRaises(HttpResponseError) as caught:
            client.set_secret("one", "x")
        self.assertEqual(caught.exception.error.code, "Forbidden")
        self.az(
            "role", "assignment", "create", "--assignee-object-id", self.emulator.said["principal"],
            "--assignee-principal-type", "ServicePrincipal", "--role", "Key Vault Secrets Officer", "--scope", vault["id"])
        self.assertEqual(client.set_secret("one", "x").value, "x")

    def test_soft_delete(self):
        vault = self.make_vault("--enable-rbac-authorization", "false")
        self.secrets(vault).set_secret("one", "kept")
        self.az("keyvault", "delete", "-n", vault["name"], "-g", "vaults")
        self.assertIn(vault["name"], [one["name"] for one in self.az("keyvault", "list-deleted")])
        recovered = self.az("keyvault", "recover", "-n", vault["name"])
        self.assertEqual(recovered["properties"]["vaultUri"], vault["properties"]["vaultUri"])
        self.assertEqual(self.secrets(vault).get_secret("one").value, "kept")
        self.az("keyvault", "delete", "-n", vault["name"], "-g", "vaults")
        self.az("keyvault", "purge", "-n", vault["name"])
        self.assertNotIn(vault["name"], [one["name"] for one in self.az("keyvault", "list-deleted")])

if __name__ == "__main__":
    unittest.main()
