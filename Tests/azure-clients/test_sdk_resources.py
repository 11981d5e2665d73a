"""Groups, disks, images and galleries by the SDKs alone."""

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

from emulator import SDKCase


class ResourceTests(SDKCase):
    def clients(self):
        return [self.client(kind) for kind in (ResourceManagementClient, ComputeManagementClient, NetworkManagementClient)]

    def test_sdks(self):
        resources, compute, network = self.clients()
        resources.resource_groups.create_or_update("sdk", {"location": "westeurope"})
        disk = compute.disks.begin_create_or_update(
            "sdk", "one", {"location": "westeurope", "properties": {
                "creationData": {"createOption": "Empty"}, "diskSizeGB": 4}},
        ).result()
        self.assertEqual((disk.name, disk.disk_state, disk.disk_size_gb), ("one", "Unattached", 4))
        net = network.virtual_networks.begin_create_or_update(
            "sdk", "net", {
                "location": "westeurope", "properties": {
                    "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                    "subnets": [{"name": "default", "properties": {"addressPrefix": "10.0.0.0/24"}}]}}).result()
        nic = network.network_interfaces.begin_create_or_update(
            "sdk", "nic", {
                "location": "westeurope",
                "properties": {"ipConfigurations": [
                    {"name": "one", "properties": {"subnet": {"id": net.subnets[0].id}}}]}}).result()
        with self.assertRaises(HttpResponseError) as caught:
            network.virtual_networks.begin_delete("sdk", "net").result()
        self.assertEqual(caught.exception.error.code, "InUseSubnetCannotBeDeleted")
        network.network_interfaces.begin_delete("sdk", nic.name).result()
        network.virtual_networks.begin_delete("sdk", "net").result()
        with self.assertRaises(ResourceNotFoundError):
            compute.disks.get("sdk", "two")
        resources.resource_groups.begin_delete("sdk").result()
        self.assertFalse(resources.resource_groups.check_existence("sdk"))

    def test_kill(self):
        """State on disk is that of the last answered request, and operations go on after kill -9."""
        with self.another("--latency", "1500") as emulator:
            port = int(emulator.base.rsplit(":", 1)[1])
            resources, compute, _ = self.clients()
            resources.resource_groups.create_or_update("kept", {"location": "westeurope"})
            poller = compute.disks.begin_create_or_update(
                "kept", "one",
                {"location": "westeurope", "properties": {
                "creationData": {"createOption": "Empty"}, "diskSizeGB": 4}}, polling=False)
            emulator.kill()
            emulator.start(port)
            resources, compute, _ = self.clients()
            disk = compute.disks.get("kept", "one")
            self.assertIn(disk.provisioning_state, ("Updating", "Succeeded"))
            while disk.provisioning_state != "Succeeded":
                disk = compute.disks.get("kept", "one")
            self.assertEqual(disk.disk_state, "Unattached")
            self.assertIsNotNone(poller)

    def test_images_and_galleries(self):
        self.make_group("pictures")
        compute = self.client(ComputeManagementClient)
        disk = compute.disks.begin_create_or_update("pictures", "disk", {
            "location": "westeurope", "properties": {
                "osType": "Linux", "hyperVGeneration": "V2", "creationData": {"createOption": "Empty"},
                "diskSizeGB": 4}}).result()
        image = compute.images.begin_create_or_update("pictures", "image", {
            "location": "westeurope", "properties": {"hyperVGeneration": "V2", "storageProfile": {
                "osDisk": {"osType": "Linux", "osState": "Generalized", "managedDisk": {"id": disk.id}}}}}).result()
        self.assertEqual((image.provisioning_state, image.hyper_v_generation), ("Succeeded", "V2"))
        compute.images.begin_update("pictures", "image", {"tags": {"a": "b"}}).result()
        self.assertEqual([i.tags for i in compute.images.list_by_resource_group("pictures")], [{"a": "b"}])
        self.assertIn("image", [i.name for i in compute.images.list()])
        compute.galleries.begin_create_or_update("pictures", "gallery", {"location": "westeurope"}).result()
        compute.gallery_images.begin_create_or_update("pictures", "gallery", "rescue", {
            "location": "westeurope", "properties": {
                "osType": "Linux", "osState": "Generalized", "hyperVGeneration": "V2",
                "identifier": {"publisher": "p", "offer": "o", "sku": "s"}}}).result()
        for name in ("1.0.0", "1.0.1"):
            version = compute.gallery_image_versions.begin_create_or_update(
                "pictures", "gallery", "rescue", name, {
                    "location": "westeurope", "properties": {
                        "publishingProfile": {"targetRegions": [{"name": "westeurope"}]},
                        "storageProfile": {"source": {"id": image.id}}}}).result()
            self.assertEqual(version.provisioning_state, "Succeeded")
        listed = compute.gallery_image_versions.list_by_gallery_image("pictures", "gallery", "rescue")
        self.assertEqual([v.name for v in listed], ["1.0.0", "1.0.1"])
        compute.gallery_image_versions.begin_update(
            "pictures", "gallery", "rescue", "1.0.1", {"tags": {"c": "d"}}).result()
        shown = compute.gallery_image_versions.get(
            "pictures", "gallery", "rescue", "1.0.1", expand="ReplicationStatus")
        self.assertEqual((shown.tags, shown.replication_status.aggregated_state), ({"c": "d"}, "Completed"))
        with self.assertRaises(HttpResponseError) as caught:
            compute.galleries.begin_delete("pictures", "gallery").result()
        self.assertEqual(caught.exception.error.code, "CannotDeleteResource")
        for name in ("1.0.0", "1.0.1"):
            compute.gallery_image_versions.begin_delete("pictures", "gallery", "rescue", name).result()
        compute.gallery_images.begin_delete("pictures", "gallery", "rescue").result()
        compute.galleries.begin_delete("pictures", "gallery").result()
        compute.images.begin_delete("pictures", "image").result()
        self.assertEqual(list(compute.galleries.list_by_resource_group("pictures")), [])
        self.assertEqual(list(compute.images.list_by_resource_group("pictures")), [])
