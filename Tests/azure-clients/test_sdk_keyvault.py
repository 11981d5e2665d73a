"""Vaults, their secrets and their keys, by the SDKs alone."""

import os
import uuid

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.keyvault.keys import JsonWebKey, KeyClient
from azure.keyvault.keys.crypto import CryptographyClient, KeyWrapAlgorithm, SignatureAlgorithm
from azure.keyvault.secrets import SecretClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from cryptography.hazmat.primitives.asymmetric import rsa

from emulator import SDKCase


class KeyVaultTests(SDKCase):
    def setUp(self):
        self.make_group("vaults")

    def make_vault(self, secrets=("all",)):
        """The address of a new vault that the application may use."""
        vaults = self.client(KeyVaultManagementClient).vaults
        return vaults.begin_create_or_update("vaults", "v" + uuid.uuid4().hex[:12], {
            "location": "westeurope", "properties": {
                "tenantId": self.emulator.tenant, "sku": {"family": "A", "name": "standard"}, "accessPolicies": [{
                    "tenantId": self.emulator.tenant, "objectId": self.emulator.said["principal"],
                    "permissions": {"secrets": list(secrets), "keys": ["all"]}}]}}).result().properties.vault_uri

    def test_secrets_of_sdk(self):
        client = self.data(SecretClient, self.make_vault())
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

    def test_purge(self):
        client = self.data(SecretClient, self.make_vault(["all", "purge"]))
        client.set_secret("one", "x")
        client.begin_delete_secret("one").wait()
        client.purge_deleted_secret("one")
        self.assertEqual(list(client.list_deleted_secrets()), [])

    def test_many_secrets(self):
        client = self.data(SecretClient, self.make_vault())
        for number in range(30):
            client.set_secret(f"s{number}", "x")
        self.assertEqual(len(list(client.list_properties_of_secrets())), 30)

    def test_keys(self):
        client = self.data(KeyClient, self.make_vault())
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

        client = self.data(KeyClient, self.make_vault())
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

    def test_restart(self):
        """A vault is found again at its address."""
        with self.another() as emulator:
            self.make_group("vaults")
            uri = self.make_vault()
            self.data(SecretClient, uri).set_secret("one", "kept")
            emulator.kill()
            emulator.start()
            self.assertEqual(self.data(SecretClient, uri).get_secret("one").value, "kept")
