"""Networks by azure-mgmt-network alone."""

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.network import NetworkManagementClient

from emulator import SDKCase


class NetworkTests(SDKCase):
    def test_sdk(self):
        self.make_group("netsdk")
        network = self.client(NetworkManagementClient)
        nsg = network.network_security_groups.begin_create_or_update(
            "netsdk", "nsg", {"location": "westeurope"}).result()
        self.assertEqual(nsg.provisioning_state, "Succeeded")
        rule = network.security_rules.begin_create_or_update("netsdk", "nsg", "web", {"properties": {
            "protocol": "Tcp", "access": "Allow", "direction": "Inbound", "priority": 200, "sourcePortRange": "*",
            "destinationPortRange": "443", "sourceAddressPrefix": "*", "destinationAddressPrefix": "*"}}).result()
        self.assertEqual(rule.priority, 200)
        net = network.virtual_networks.begin_create_or_update("netsdk", "net", {
            "location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}).result()
        subnet = network.subnets.begin_create_or_update("netsdk", "net", "default", {"properties": {
            "addressPrefix": "10.0.0.0/24", "networkSecurityGroup": {"id": nsg.id}}}).result()
        self.assertEqual(
            [s.name for s in network.virtual_networks.get("netsdk", "net").subnets], ["default"])
        self.assertNotEqual(network.virtual_networks.get("netsdk", "net").etag, net.etag)
        free = network.virtual_networks.check_ip_address_availability("netsdk", "net", ip_address="10.0.0.4")
        self.assertTrue(free.available)
        address = network.public_ip_addresses.begin_create_or_update("netsdk", "ip", {
            "location": "westeurope", "sku": {"name": "Standard"},
            "properties": {"publicIPAllocationMethod": "Static"}}).result()
        nic = network.network_interfaces.begin_create_or_update("netsdk", "nic", {
            "location": "westeurope", "properties": {"networkSecurityGroup": {"id": nsg.id}, "ipConfigurations": [
                {"name": "one", "properties": {
                    "subnet": {"id": subnet.id}, "publicIPAddress": {"id": address.id}}}]}}).result()
        self.assertEqual(nic.ip_configurations[0].private_ip_address, "10.0.0.4")
        seen = network.network_security_groups.get("netsdk", "nsg")
        self.assertEqual(
            (len(seen.subnets), len(seen.network_interfaces), len(seen.security_rules)), (1, 1, 1))
        network.network_interfaces.update_tags("netsdk", "nic", {"tags": {"a": "b"}})
        self.assertEqual([n.tags for n in network.network_interfaces.list("netsdk")], [{"a": "b"}])
        self.assertIn("nic", [n.name for n in network.network_interfaces.list_all()])
        with self.assertRaises(HttpResponseError) as caught:
            network.subnets.begin_delete("netsdk", "net", "default").result()
        self.assertEqual(caught.exception.error.code, "InUseSubnetCannotBeDeleted")
        network.network_interfaces.begin_delete("netsdk", "nic").result()
        network.public_ip_addresses.begin_delete("netsdk", "ip").result()
        network.subnets.begin_delete("netsdk", "net", "default").result()
        network.security_rules.begin_delete("netsdk", "nsg", "web").result()
        network.network_security_groups.begin_delete("netsdk", "nsg").result()
        network.virtual_networks.begin_delete("netsdk", "net").result()
        for name in ("network_interfaces", "public_ip_addresses", "network_security_groups", "virtual_networks"):
            self.assertEqual(list(getattr(network, name).list("netsdk")), [], name)
        with self.assertRaises(ResourceNotFoundError):
            network.subnets.get("netsdk", "net", "default")
