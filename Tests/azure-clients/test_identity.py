"""Every way in which az signs in."""

import unittest

from emulator import Az, ClientCase


class IdentityTests(ClientCase):
    def login(self, folder, *arguments, **environment):
        az = Az(self.emulator, folder)
        az.environment.update(environment)
        az("login", *arguments)
        self.assertEqual(az("account", "show")["id"], self.emulator.subscription)
        self.assertEqual(az("group", "list"), [])

    def test_az_certificate(self):
        self.login(
            "certificate", "--service-principal", "-u", self.emulator.application, "--certificate",
            self.emulator.file("certificate"), "--tenant", self.emulator.tenant)

    def test_az_federated_token(self):
        with open(self.emulator.file("federated")) as file:
            token = file.read()
        self.login(
            "federated", "--service-principal", "-u", self.emulator.application, "--federated-token", token, "--tenant",
            self.emulator.tenant)

    def test_az_identity(self):
        with open(self.emulator.file("header")) as file:
            header = file.read()
        self.login(
            "identity", "--identity", IDENTITY_ENDPOINT=self.emulator.said["imds"] + "/msi/token",
            IDENTITY_HEADER=header)


if __name__ == "__main__":
    unittest.main()
