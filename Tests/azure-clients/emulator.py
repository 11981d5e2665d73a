"""An emulator and Microsoft's clients of it, for the tests beside this file."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from azure.identity import ClientSecretCredential
from azure.mgmt.resource.resources import ResourceManagementClient

import type_files


class Emulator:
    """An emulator of its own folder, and what a client has to know of it."""

    def __init__(self, *options):
        self.folder = tempfile.mkdtemp(prefix="azure-clients-")
        self.record = self.folder + "/record.jsonl"
        self.options = options
        self.start()

    def start(self, port=0):
        self.process = subprocess.Popen(
            [
                os.environ["AZURE_EMULATOR"], "--state", self.folder + "/state", "--port", str(port), "--record",
                self.record, *self.options],
            stdout=subprocess.PIPE, text=True)
        self.said = said = {}
        for line in self.process.stdout:
            name, _, value = line.strip().partition(" ")
            said[name] = value.strip()
            if name == "authority":
                break
        self.base = re.search(r"https://\S+", said["azure-emulator"]).group()
        self.tenant, self.subscription = said["tenant"], said["subscription"]
        self.application, self.authority = said["application"], said["authority"]
        with open(self.file("secret")) as file:
            self.secret = file.read()

    def file(self, name):
        """A file that the emulator named when it started."""
        return self.said[name].removeprefix("in ")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def close(self):
        self.kill()
        shutil.rmtree(self.folder)


class Az:
    """The Azure CLI with a configuration of its own."""

    def __init__(self, emulator, folder="az"):
        self.environment = dict(
            os.environ, AZURE_CONFIG_DIR=f"{emulator.folder}/{folder}", REQUESTS_CA_BUNDLE=emulator.authority,
            AZURE_CORE_COLLECT_TELEMETRY="0", AZURE_CORE_NO_COLOR="1", AZURE_CORE_INSTANCE_DISCOVERY="false",
            AZURE_CORE_DISPLAY_REGION_IDENTIFIED="false", AZURE_CORE_LOGIN_EXPERIENCE_V2="off",
            AZURE_CORE_ONLY_SHOW_ERRORS="1")
        self.emulator = emulator
        self("cloud", "register", "-n", "emulator", "--endpoint-resource-manager", emulator.base)
        self("cloud", "set", "-n", "emulator")

    def sign_in(self):
        self(
            "login", "--service-principal", "-u", self.emulator.application, "-p", self.emulator.secret, "--tenant",
            self.emulator.tenant)

    def run(self, *arguments):
        return subprocess.run(
            ["az", *arguments, "--output", "json"], env=self.environment, capture_output=True, text=True)

    def __call__(self, *arguments):
        result = self.run(*arguments)
        if result.returncode:
            raise AssertionError(f"az {' '.join(arguments)} ended with {result.returncode}: {result.stderr}")
        return json.loads(result.stdout) if result.stdout.strip() else None


class SDKCase(unittest.TestCase):
    """Tests that share one emulator, which they use by the SDKs alone."""

    options = ()

    @classmethod
    def setUpClass(cls):
        cls.emulator = Emulator(*cls.options)
        cls.addClassCleanup(cls.emulator.close)
        cls.addClassCleanup(cls.check_bodies)

    @classmethod
    def check_bodies(cls):
        """All that was asked and answered has the shape that Microsoft's type files give it."""
        if not os.path.isdir(type_files.FOLDER):
            print(f"{cls.__name__}: bodies are not checked, for there are no type files in {type_files.FOLDER}")
            return
        with open(cls.emulator.record) as lines:
            checked, found = type_files.complaints(lines, type_files.Types())
        print(f"{cls.__name__}: {checked} bodies checked against the type files, {len(found)} complaints")
        if found:
            raise AssertionError("\n".join(["Bodies are not as Microsoft's type files have them:"] + found))

    @contextlib.contextmanager
    def another(self, *options):
        """An emulator that nobody else uses, for what would disturb them."""
        emulator, shared = Emulator(*options), self.emulator
        self.emulator = emulator
        try:
            yield emulator
        finally:
            self.emulator = shared
            emulator.close()

    @property
    def credential(self):
        return ClientSecretCredential(
            self.emulator.tenant, self.emulator.application, self.emulator.secret, authority=self.emulator.base,
            disable_instance_discovery=True, connection_verify=self.emulator.authority)

    def client(self, kind, **more):
        """An SDK's client of the emulator: `kind(credential, subscription)`."""
        return kind(
            self.credential, self.emulator.subscription, base_url=self.emulator.base,
            credential_scopes=[self.emulator.base + "/.default"], connection_verify=self.emulator.authority, **more)

    def data(self, kind, *arguments, **more):
        """A client of what is in a vault, which learns from the vault's challenge where to sign in."""
        return kind(
            *arguments, credential=self.credential, verify_challenge_resource=False,
            connection_verify=self.emulator.authority, **more)

    def make_group(self, name):
        """The name of a new group, made by the SDK."""
        self.client(ResourceManagementClient).resource_groups.create_or_update(name, {"location": "westeurope"})
        return name


class ClientCase(SDKCase):
    """Tests that share one emulator, with az signed in to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.az = Az(cls.emulator)
        cls.az.sign_in()

    def group(self, name):
        self.az("group", "create", "-n", name, "-l", "westeurope")
        self.addCleanup(lambda: self.az.run("group", "delete", "-n", name, "-y"))
        return name

    def fails(self, code, *arguments):
        """az shows Azure's code and message."""
        result = self.az.run(*arguments)
        self.assertNotEqual(result.returncode, 0, f"az {' '.join(arguments)} should fail")
        self.assertIn(f"({code})", result.stderr)
        return result.stderr
