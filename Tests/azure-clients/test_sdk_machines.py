"""A rescue by the SDKs alone: copy, attach, swap, and what machines say of themselves."""

import base64
import unittest

from azure.core.exceptions import HttpResponseError
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.network import NetworkManagementClient
from azure.storage.blob import BlobClient

from emulator import SDKCase
from vhd import MIB, fixed_footer


class MachineTests(SDKCase):
    def setUp(self):
        self.compute = self.client(ComputeManagementClient)

    def subnet(self, group):
        return self.client(NetworkManagementClient).virtual_networks.begin_create_or_update(group, "net", {
            "location": "westeurope", "properties": {
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                "subnets": [{"name": "default", "properties": {"addressPrefix": "10.0.0.0/24"}}]}}).result().subnets[0].id

    def disk(self, group, name, **properties):
        return self.compute.disks.begin_create_or_update(group, name, {"location": "westeurope", "properties": {
            "creationData": {"createOption": "Empty"}, "diskSizeGB": 30, "osType": "Windows",
            "hyperVGeneration": "V2", **properties}}).result()

    def copy(self, group, name, source):
        return self.disk(group, name, creationData={"createOption": "Copy", "sourceResourceId": source.id})

    def machine(self, group, name, disk, subnet, **properties):
        """A machine whose interface is made with it."""
        return self.compute.virtual_machines.begin_create_or_update(group, name, {
            "location": "westeurope", "properties": {
                "hardwareProfile": {"vmSize": "Standard_D4s_v5"},
                "storageProfile": {"osDisk": {
                    "createOption": "Attach", "osType": "Windows", "deleteOption": "Detach",
                    "managedDisk": {"id": disk.id}}},
                "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
                "networkProfile": {"networkApiVersion": "2022-11-01", "networkInterfaceConfigurations": [{
                    "name": f"{name}-nic", "properties": {
                        "primary": True, "deleteOption": "Delete", "ipConfigurations": [{
                            "name": "one", "properties": {"subnet": {"id": subnet}}}]}}]},
                **properties}}).result()

    def power(self, group, name):
        view = self.compute.virtual_machines.instance_view(group, name)
        return view.statuses[-1].code

    def test_rescue(self):
        group = self.make_group("rescue")
        subnet = self.subnet(group)
        original = self.disk(group, "original")
        broken = self.machine(group, "broken", original, subnet)
        self.assertEqual(broken.provisioning_state, "Succeeded")
        self.assertTrue(broken.network_profile.network_interfaces[0].id.split("/")[-1].startswith("broken-nic-"))
        rescue = self.machine(
            group, "rescue", self.disk(group, "rescue-os", osType="Linux"), subnet,
            userData=base64.b64encode(b"hello").decode())
        self.assertIsNone(rescue.user_data)
        machines = self.compute.virtual_machines
        self.assertEqual(machines.get(group, "rescue", expand="userData").user_data, "aGVsbG8=")
        machines.begin_power_off(group, "broken", skip_shutdown=True).result()
        self.assertEqual(self.power(group, "broken"), "PowerState/stopped")

        copies = [self.copy(group, f"copy{lun}", original) for lun in range(2)]
        profile = machines.begin_attach_detach_data_disks(group, "rescue", {
            "dataDisksToAttach": [{"diskId": copy.id, "lun": lun} for lun, copy in enumerate(copies)]}).result()
        self.assertEqual([disk.lun for disk in profile.data_disks], [0, 1])
        with self.assertRaises(HttpResponseError) as caught:
            self.machine(group, "thief", copies[0], subnet)
        self.assertEqual(caught.exception.error.code, "ConflictingUserInput")
        profile = machines.begin_attach_detach_data_disks(group, "rescue", {
            "dataDisksToDetach": [{"diskId": copy.id} for copy in copies]}).result()
        self.assertEqual(list(profile.data_disks), [])

        broken = machines.begin_update(group, "broken", {"properties": {"storageProfile": {"osDisk": {
            "name": copies[0].name, "managedDisk": {"id": copies[0].id}}}}}).result()
        self.assertEqual(broken.storage_profile.os_disk.name, "copy0")
        machines.begin_start(group, "broken").result()
        shown = machines.get(group, "broken", expand="instanceView")
        self.assertEqual(shown.instance_view.vm_agent.statuses[0].display_status, "Ready")
        self.assertEqual(self.compute.disks.get(group, "original").disk_state, "Unattached")
        logs = machines.retrieve_boot_diagnostics_data(group, "broken")
        self.assertTrue(logs.serial_console_log_blob_uri.startswith(self.emulator.base))
        machines.begin_delete(group, "rescue").result()
        interfaces = [one.name for one in self.client(NetworkManagementClient).network_interfaces.list(group)]
        self.assertEqual([one[:11] for one in interfaces], ["broken-nic-"])

    def test_commands_and_extensions(self):
        group = self.make_group("extended")
        self.machine(group, "vm", self.disk(group, "os"), self.subnet(group))
        result = self.compute.virtual_machines.begin_run_command(
            group, "vm", {"commandId": "RunPowerShellScript", "script": ["Get-Date"]}).result()
        self.assertEqual([one.code for one in result.value][0], "ComponentStatus/StdOut/succeeded")
        self.compute.virtual_machine_extensions.begin_create_or_update(group, "vm", "falcon", {
            "location": "westeurope", "properties": {
                "publisher": "CrowdStrike.Falcon", "type": "FalconSensorWindows", "typeHandlerVersion": "1.0",
                "settings": {}}}).result()
        view = self.compute.virtual_machines.instance_view(group, "vm")
        self.assertEqual([(one.name, one.type) for one in view.extensions], [
            ("falcon", "CrowdStrike.Falcon.FalconSensorWindows")])
        self.assertEqual([one.type for one in view.vm_agent.extension_handlers], [
            "CrowdStrike.Falcon.FalconSensorWindows"])

    def test_lists(self):
        group = self.make_group("listed")
        self.machine(group, "vm", self.disk(group, "os"), self.subnet(group))
        machines = self.compute.virtual_machines
        self.assertEqual([one.name for one in machines.list(group)], ["vm"])
        self.assertIsNone(next(iter(machines.list(group))).instance_view)
        views = {one.id: one.instance_view for one in machines.list_all(status_only="true")}
        view = views[machines.get(group, "vm").id]
        self.assertEqual(view.statuses[-1].code, "PowerState/running")
        self.assertEqual(view.vm_agent.statuses[0].display_status, "Ready")

    def test_upload_and_snapshot(self):
        group = self.make_group("bytes")
        size = 20 * MIB
        self.compute.disks.begin_create_or_update(group, "up", {"location": "westeurope", "properties": {
            "creationData": {"createOption": "Upload", "uploadSizeBytes": size + 512}, "osType": "Linux",
            "hyperVGeneration": "V2"}}).result()

        def blob(access):
            return BlobClient.from_blob_url(access.access_sas, connection_verify=self.emulator.authority)

        target = blob(self.compute.disks.begin_grant_access(
            group, "up", {"access": "Write", "durationInSeconds": 600}).result())
        target.upload_page(b"x" * 4096, offset=MIB, length=4096)
        target.upload_page(fixed_footer(size), offset=size, length=512)
        self.compute.disks.begin_revoke_access(group, "up").result()
        disk = self.compute.disks.get(group, "up")
        self.assertEqual(disk.disk_state, "Unattached")
        self.compute.snapshots.begin_create_or_update(group, "kept", {"location": "westeurope", "properties": {
            "creationData": {"createOption": "Copy", "sourceResourceId": disk.id}, "incremental": True}}).result()
        source = blob(self.compute.snapshots.begin_grant_access(
            group, "kept", {"access": "Read", "durationInSeconds": 600}).result())
        self.assertEqual(source.download_blob(MIB - 512, 1024).readall(), bytes(512) + b"x" * 512)
        self.compute.snapshots.begin_revoke_access(group, "kept").result()
        self.compute.snapshots.begin_delete(group, "kept").result()

    def test_offers(self):
        sizes = [one.name for one in self.compute.resource_skus.list(filter="location eq 'westeurope'")]
        self.assertIn("Standard_D4s_v5", sizes)
        self.assertTrue(list(self.compute.usage.list("westeurope")))


if __name__ == "__main__":
    unittest.main()
