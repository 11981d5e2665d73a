"""Every way in which azure-identity signs in."""

import contextlib
import os
import unittest.mock

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity import (
    CertificateCredential, ClientAssertionCredential, ClientSecretCredential, ManagedIdentityCredential,
    WorkloadIdentityCredential)
from azure.mgmt.resource.resources import ResourceManagementClient

from emulator import SDKCase


class IdentityTests(SDKCase):
    @property
    def options_of_credential(self):
        return dict(
            authority=self.emulator.base, disable_instance_discovery=True, connection_verify=self.emulator.authority)

    def groups(self, credential):
        """What a credential is for: a call."""
        client = ResourceManagementClient(
            credential, self.emulator.subscription, base_url=self.emulator.base,
            credential_scopes=[self.emulator.base + "/.default"], connection_verify=self.emulator.authority)
        return list(client.resource_groups.list())

    @contextlib.contextmanager
    def environment(self, **variables):
        with unittest.mock.patch.dict(os.environ, variables):
            yield

    def test_secret(self):
        self.assertEqual(self.groups(ClientSecretCredential(
            self.emulator.tenant, self.emulator.application, self.emulator.secret, **self.options_of_credential)), [])

    def test_certificate(self):
        for send_chain in (False, True):
            self.groups(CertificateCredential(
                self.emulator.tenant, self.emulator.application, certificate_path=self.emulator.file("certificate"),
                send_certificate_chain=send_chain, **self.options_of_credential))

    def test_workload_identity(self):
        self.groups(WorkloadIdentityCredential(
            tenant_id=self.emulator.tenant, client_id=self.emulator.application,
            token_file_path=self.emulator.file("federated"), **self.options_of_credential))

    def test_wrong_assertion(self):
        with open(self.emulator.file("federated")) as file:
            header, payload, _ = file.read().split(".")
        credential = ClientAssertionCredential(
            self.emulator.tenant, self.emulator.application, lambda: f"{header}.{payload}.AAAA",
            **self.options_of_credential)
        with self.assertRaisesRegex(ClientAuthenticationError, "AADSTS700027"):
            self.groups(credential)

    def test_managed_identity(self):
        with self.environment(AZURE_POD_IDENTITY_AUTHORITY_HOST=self.emulator.said["imds"]):
            self.groups(ManagedIdentityCredential())
            client = self.emulator.said["identity"].split()[0]
            self.groups(ManagedIdentityCredential(client_id=client))
            with self.assertRaises(ClientAuthenticationError):
                self.groups(ManagedIdentityCredential(client_id="99999999-1111-4111-8111-111111111111"))

    def test_managed_identity_of_app_service(self):
        with open(self.emulator.file("header")) as file:
            header = file.read()
        endpoint = self.emulator.said["imds"] + "/msi/token"
        with self.environment(IDENTITY_ENDPOINT=endpoint, IDENTITY_HEADER=header):
            self.groups(ManagedIdentityCredential())
        with self.environment(IDENTITY_ENDPOINT=endpoint, IDENTITY_HEADER="wrong"):
            with self.assertRaises(ClientAuthenticationError):
                self.groups(ManagedIdentityCredential())

    def test_token_for_another_service(self):
        credential = ClientSecretCredential(
            self.emulator.tenant, self.emulator.application, self.emulator.secret, **self.options_of_credential)
        client = ResourceManagementClient(
            credential, self.emulator.subscription, base_url=self.emulator.base,
            credential_scopes=["https://vault.azure.net/.default"], connection_verify=self.emulator.authority)
        with self.assertRaises(HttpResponseError) as caught:
            list(client.resource_groups.list())
        self.assertEqual(caught.exception.error.code, "InvalidAuthenticationTokenAudience")

    def test_no_secret_is_written_down(self):
        self.groups(ClientSecretCredential(
            self.emulator.tenant, self.emulator.application, self.emulator.secret, **self.options_of_credential))
        with open(self.emulator.record) as file:
            written = file.read()
        self.assertIn("resourcegroups", written.lower())
        for secret in (self.emulator.secret, "eyJ", "Bearer "):
            self.assertNotIn(secret, written)
