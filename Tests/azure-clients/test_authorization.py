"""Locks, roles and policy, as az keeps them."""

import json
import unittest

from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.mgmt.resource.resources import ResourceManagementClient

from emulator import Az, ClientCase


class AuthorizationTests(ClientCase):
    options = ("--application", "guest:none", "--application", "reader:Reader")

    def guest(self, name="guest"):
        """Another application: its id, its object and its secret."""
        client, principal, _, file = self.emulator.said[name].split()
        with open(file) as secret:
            return client, principal, secret.read()

    def az_of(self, name):
        client, _, secret = self.guest(name)
        az = Az(self.emulator, name)
        az("login", "--service-principal", "-u", client, "-p", secret, "--tenant", self.emulator.tenant)
        return az

    def disk(self, group, name="one"):
        return self.az("disk", "create", "-g", group, "-n", name, "--size-gb", "4")

    def test_locks(self):
        group = self.group("locked")
        disk = self.disk(group)
        lock = self.az(
            "lock", "create", "-n", "keep", "-t", "CanNotDelete", "-g", group, "--resource-name", "one",
            "--resource-type", "Microsoft.Compute/disks", "--notes", "Do not touch")
        self.assertEqual(lock["level"], "CanNotDelete")
        self.assertIn(disk["id"], self.fails("ScopeLocked", "disk", "delete", "-g", group, "-n", "one", "-y"))
        self.fails("ScopeLocked", "group", "delete", "-n", group, "-y")
        self.assertEqual([one["name"] for one in self.az("lock", "list", "-g", group)], ["keep"])
        self.az("lock", "delete", "--ids", lock["id"])
        self.az("lock", "create", "-n", "still", "-t", "ReadOnly", "-g", group)
        self.fails("ScopeLocked", "disk", "update", "-g", group, "-n", "one", "--set", "tags.a=b")
        self.az("lock", "delete", "-n", "still", "-g", group)
        self.az("disk", "delete", "-g", group, "-n", "one", "-y")

    def test_roles(self):
        group = self.group("roles")
        scope = f"/subscriptions/{self.emulator.subscription}/resourceGroups/{group}"
        client, principal, secret = self.guest()
        self.assertEqual(self.az("role", "definition", "list", "-n", "Reader")[0]["roleName"], "Reader")
        made = self.az(
            "role", "assignment", "create", "--assignee-object-id", principal, "--assignee-principal-type",
            "ServicePrincipal", "--role", "Reader", "--scope", scope)
        self.assertEqual(made["principalId"], principal)
        listed = self.az("role", "assignment", "list", "--scope", scope, "--assignee-object-id", principal)
        self.assertEqual([one["roleDefinitionName"] for one in listed], ["Reader"])

        credential = ClientSecretCredential(
            self.emulator.tenant, client, secret, authority=self.emulator.base, disable_instance_discovery=True,
            connection_verify=self.emulator.authority)
        resources = ResourceManagementClient(
            credential, self.emulator.subscription, base_url=self.emulator.base,
            credential_scopes=[self.emulator.base + "/.default"], connection_verify=self.emulator.authority)
        self.assertEqual([one.name for one in resources.resource_groups.list()], [group])
        with self.assertRaises(HttpResponseError) as caught:
            resources.resource_groups.create_or_update(group, {"location": "westeurope", "tags": {"a": "b"}})
        self.assertEqual(caught.exception.error.code, "AuthorizationFailed")
        self.assertIn(principal, caught.exception.message)

        self.az("role", "assignment", "delete", "--ids", made["id"])
        with self.assertRaises(HttpResponseError) as caught:
            resources.resource_groups.get(group)
        self.assertEqual(caught.exception.error.code, "AuthorizationFailed")

    def test_custom_role(self):
        group = self.group("custom")
        subscription = f"/subscriptions/{self.emulator.subscription}"
        role = self.az(
            "role", "definition", "create", "--role-definition", json.dumps({
                "Name": "Disk reader", "Description": "Sees disks", "Actions": ["Microsoft.Compute/disks/read"],
                "AssignableScopes": [subscription]}))
        self.assertEqual(role["roleType"], "CustomRole")
        self.az(
            "role", "assignment", "create", "--assignee-object-id", self.guest()[1], "--assignee-principal-type",
            "ServicePrincipal", "--role", "Disk reader", "--scope", f"{subscription}/resourceGroups/{group}")
        self.disk(group)
        az = self.az_of("guest")
        self.assertEqual(az("disk", "show", "-g", group, "-n", "one")["name"], "one")
        self.assertIn("(AuthorizationFailed)", az.run("disk", "delete", "-g", group, "-n", "one", "-y").stderr)

    def test_reader(self):
        group = self.group("readable")
        az = self.az_of("reader")
        self.assertEqual(az("group", "show", "-n", group)["name"], group)
        self.assertIn("(AuthorizationFailed)", az.run("group", "delete", "-n", group, "-y").stderr)

    def test_policy(self):
        group = self.group("policy")
        rule = {
            "if": {"allOf": [
                {"field": "type", "equals": "Microsoft.Compute/disks"}, {"field": "tags['cost']", "exists": "false"}]},
            "then": {"effect": "deny"}}
        self.az(
            "policy", "definition", "create", "-n", "cost", "--display-name", "Disks have a cost", "--mode", "All",
            "--rules", json.dumps(rule))
        self.az("policy", "assignment", "create", "-n", "cost", "--policy", "cost", "-g", group)
        self.addCleanup(lambda: self.az.run("policy", "assignment", "delete", "-n", "cost", "-g", group))
        told = self.fails("RequestDisallowedByPolicy", "disk", "create", "-g", group, "-n", "one", "--size-gb", "4")
        self.assertIn("Disks have a cost", told)
        self.az("disk", "create", "-g", group, "-n", "one", "--size-gb", "4", "--tags", "cost=1")

    def test_builtin_policy(self):
        group = self.group("places")
        self.az(
            "policy", "assignment", "create", "-n", "places", "--policy", "e56962a6-4747-49cd-b67b-bf8b01975c4c", "-g",
            group, "--params", json.dumps({"listOfAllowedLocations": {"value": ["northeurope"]}}))
        self.fails("RequestDisallowedByPolicy", "disk", "create", "-g", group, "-n", "one", "--size-gb", "4")
        self.az("disk", "create", "-g", group, "-n", "one", "--size-gb", "4", "-l", "northeurope")


if __name__ == "__main__":
    unittest.main()
