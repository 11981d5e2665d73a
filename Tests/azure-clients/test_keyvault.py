"""Vaults, their secrets and their keys, as az and the SDKs use them."""

import os
import unittest
import uuid

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.keyvault.keys import JsonWebKey, KeyClient
from azure.keyvault.keys.crypto import CryptographyClient, KeyWrapAlgorithm, SignatureAlgorithm
from azure.keyvault.secrets import SecretClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.resource import ResourceManagementClient
from cryptography.hazmat.primitives.asymmetric import rsa

from emulator import ClientCase, Emulator


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

    def data(self, kind, *arguments, **more):
        """A client of what is in a vault, which learns from the vault's challenge where to sign in."""
        credential = ClientSecretCredential(
            self.emulator.tenant, self.emulator.application, self.emulator.secret, authority=self.emulator.base,
            disable_instance_discovery=True, connection_verify=self.emulator.authority)
        return kind(
            *arguments, credential=credential, verify_challenge_resource=False,
            connection_verify=self.emulator.authority, **more)

    def secrets(self, vault=None):
        return self.data(SecretClient, (vault or self.vault)["properties"]["vaultUri"])

    def test_vault(self):
        shown = self.az("keyvault", "show", "-g", "vaults", "-n", self.vault["name"])
        self.assertEqual(shown["properties"]["vaultUri"], self.vault["properties"]["vaultUri"])
        self.assertRegex(shown["properties"]["vaultUri"], r"^https://localhost:\d+/$")
        self.assertIn(self.vault["name"], [one["name"] for one in self.az("keyvault", "list", "-g", "vaults")])

    def test_secrets_of_sdk(self):
        client = self.secrets()
        first = client.set_secret("sdk", "one", content_type="text/plain", tags={"a": "b"})
        client.set_secret("sdk", "two")
        self.assertEqual(client.get_secret("sdk").value, "two")
        self.assertEqual(client.get_secret("sdk", first.properties.version).value, "one")
        self.assertEqual(len(list(client.list_properties_of_secret_versions("sdk"))), 2)
        self.assertIn("sdk", [one.name for one in client.list_properties_of_secrets()])
        self.assertEqual(client.update_secret_properties("sdk", enabled=False).enabled, False)
        with self.assertRaises(HttpResponseError):
            client.get_secret("sdk")
        with self.assertRaises(ResourceNotFoundError):
            client.get_secret("none")
        client.begin_delete_secret("sdk").result()
        client.begin_recover_deleted_secret("sdk").wait()
        client.begin_delete_secret("sdk").wait()
        # "all" is not to purge.
        with self.assertRaises(HttpResponseError):
            client.purge_deleted_secret("sdk")
        self.az(
            "keyvault", "set-policy", "-n", self.vault["name"], "--object-id", self.emulator.said["principal"],
            "--secret-permissions", "all", "purge")
        client.purge_deleted_secret("sdk")
        self.assertEqual(list(client.list_deleted_secrets()), [])

    def test_many_secrets(self):
        client = self.secrets(self.make_vault("--enable-rbac-authorization", "false"))
        for number in range(30):
            client.set_secret(f"s{number}", "x")
        self.assertEqual(len(list(client.list_properties_of_secrets())), 30)

    def test_secrets_of_az(self):
        uri = self.vault["properties"]["vaultUri"]
        # az finds a vault by its name through the name service alone; by its address it needs none.
        made = self.secrets().set_secret("az", "hello")
        self.assertEqual(self.az("keyvault", "secret", "show", "--id", made.id)["value"], "hello")
        self.assertEqual(self.az("keyvault", "secret", "show", "--id", uri + "secrets/az")["value"], "hello")
        self.az("keyvault", "secret", "set-attributes", "--id", uri + "secrets/az", "--enabled", "false")
        self.assertIn("SecretDisabled", self.az.run("keyvault", "secret", "show", "--id", uri + "secrets/az").stderr)

    def test_keys(self):
        client = self.data(KeyClient, self.vault["properties"]["vaultUri"])
        key = client.create_rsa_key("made", size=2048)
        self.assertEqual(client.get_key("made").id, key.id)
        crypto = self.data(CryptographyClient, key)
        content = os.urandom(32)
        for algorithm in (KeyWrapAlgorithm.rsa_oaep, KeyWrapAlgorithm.rsa_oaep_256, KeyWrapAlgorithm.rsa1_5):
            # Wrapped here with the public half, unwrapped by the vault.
            wrapped = crypto.wrap_key(algorithm, content)
            self.assertEqual(crypto.unwrap_key(algorithm, wrapped.encrypted_key).key, content)
        for algorithm in (SignatureAlgorithm.rs256, SignatureAlgorithm.ps256):
            signed = crypto.sign(algorithm, content)
            self.assertTrue(crypto.verify(algorithm, content, signed.signature).is_valid)
            self.assertFalse(crypto.verify(algorithm, os.urandom(32), signed.signature).is_valid)
        self.assertIn("made", [one.name for one in client.list_properties_of_keys()])
        client.begin_delete_key("made").wait()
        with self.assertRaises(ResourceNotFoundError):
            client.get_key("made")

    def test_imported_key(self):
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers, public = private.private_numbers(), private.public_key().public_numbers()

        def octets(number):
            return number.to_bytes((number.bit_length() + 7) // 8, "big")

        client = self.data(KeyClient, self.vault["properties"]["vaultUri"])
        key = client.import_key("brought", JsonWebKey(
            kty="RSA", key_ops=["unwrapKey", "wrapKey"], n=octets(public.n), e=octets(public.e), d=octets(numbers.d),
            p=octets(numbers.p), q=octets(numbers.q), dp=octets(numbers.dmp1), dq=octets(numbers.dmq1),
            qi=octets(numbers.iqmp)))
        self.assertEqual(key.key.n, octets(public.n))
        crypto = self.data(CryptographyClient, key)
        wrapped = crypto.wrap_key(KeyWrapAlgorithm.rsa_oaep, b"content").encrypted_key
        self.assertEqual(crypto.unwrap_key(KeyWrapAlgorithm.rsa_oaep, wrapped).key, b"content")
        with self.assertRaises(HttpResponseError):
            client.import_key("bad", JsonWebKey(
                kty="RSA", n=b"\x01" * 256, e=b"\x01\x00\x01", d=b"\x01", p=b"\x01", q=b"\x01", dp=b"\x01", dq=b"\x01",
                qi=b"\x01"))

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

    def test_restart(self):
        """A vault is found again at its address."""
        emulator = Emulator()
        self.addCleanup(emulator.close)
        self_emulator, type(self).emulator = self.emulator, emulator
        self.addCleanup(lambda: setattr(type(self), "emulator", self_emulator))
        self.client(ResourceManagementClient).resource_groups.create_or_update("g", {"location": "westeurope"})
        all_permissions = {"secrets": ["all"]}
        vault = self.client(KeyVaultManagementClient).vaults.begin_create_or_update("g", "kept", {
            "location": "westeurope", "properties": {
                "tenantId": emulator.tenant, "sku": {"family": "A", "name": "standard"}, "accessPolicies": [{
                    "tenantId": emulator.tenant, "objectId": emulator.said["principal"],
                    "permissions": all_permissions}]}}).result()
        uri = vault.properties.vault_uri
        self.data(SecretClient, uri).set_secret("one", "kept")
        emulator.kill()
        emulator.start()
        self.assertEqual(self.data(SecretClient, uri).get_secret("one").value, "kept")


if __name__ == "__main__":
    unittest.main()
