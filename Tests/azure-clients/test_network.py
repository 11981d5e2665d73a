"""Networks: az, each kind made, listed, changed and deleted."""

from emulator import ClientCase


class NetworkTests(ClientCase):
    def test_networks_and_subnets(self):
        group = self.group("nets")
        net = self.az(
            "network", "vnet", "create", "-g", group, "-n", "net", "--address-prefixes", "10.1.0.0/16", "--subnet-name",
            "one", "--subnet-prefixes", "10.1.1.0/24")["newVNet"]
        self.assertEqual([s["name"] for s in net["subnets"]], ["one"])
        subnet = ("network", "vnet", "subnet")
        self.az(*subnet, "create", "-g", group, "--vnet-name", "net", "-n", "two", "--address-prefixes", "10.1.2.0/24")
        self.fails(
            "NetcfgSubnetRangesOverlap", *subnet, "create", "-g", group, "--vnet-name", "net", "-n", "three",
            "--address-prefixes", "10.1.2.0/25")
        self.fails(
            "NetcfgSubnetRangeOutsideVnet", *subnet, "create", "-g", group, "--vnet-name", "net", "-n", "three",
            "--address-prefixes", "10.2.2.0/24")
        self.az("network", "nsg", "create", "-g", group, "-n", "nsg")
        changed = self.az(
            *subnet, "update", "-g", group, "--vnet-name", "net", "-n", "two", "--network-security-group", "nsg")
        self.assertTrue(changed["networkSecurityGroup"]["id"].endswith("/nsg"))
        self.fails("InUseNetworkSecurityGroupCannotBeDeleted", "network", "nsg", "delete", "-g", group, "-n", "nsg")
        listed = self.az(*subnet, "list", "-g", group, "--vnet-name", "net")
        self.assertEqual([s["name"] for s in listed], ["one", "two"])
        self.assertEqual(
            self.az(*subnet, "show", "-g", group, "--vnet-name", "net", "-n", "two")["addressPrefix"], "10.1.2.0/24")
        self.az(*subnet, "delete", "-g", group, "--vnet-name", "net", "-n", "two")
        self.az("network", "vnet", "update", "-g", group, "-n", "net", "--set", "tags.use=test")
        net = self.az("network", "vnet", "show", "-g", group, "-n", "net")
        self.assertEqual((net["tags"], len(net["subnets"])), ({"use": "test"}, 1))
        self.assertIn("net", [n["name"] for n in self.az("network", "vnet", "list")])
        self.az("network", "nsg", "delete", "-g", group, "-n", "nsg")
        self.az("network", "vnet", "delete", "-g", group, "-n", "net")
        self.assertEqual(self.az("network", "vnet", "list", "-g", group), [])

    def test_rules(self):
        group = self.group("rules")
        nsg = self.az("network", "nsg", "create", "-g", group, "-n", "nsg")["NewNSG"]
        self.assertEqual(len(nsg["defaultSecurityRules"]), 6)
        rule = ("network", "nsg", "rule")
        made = self.az(
            *rule, "create", "-g", group, "--nsg-name", "nsg", "-n", "ssh", "--priority", "100",
            "--destination-port-ranges", "22", "8000-8010", "--access", "Allow", "--protocol", "Tcp")
        self.assertEqual((made["direction"], made["destinationPortRanges"]), ("Inbound", ["22", "8000-8010"]))
        self.fails(
            "SecurityRuleConflict", *rule, "create", "-g", group, "--nsg-name", "nsg", "-n", "other", "--priority", "100")
        changed = self.az(*rule, "update", "-g", group, "--nsg-name", "nsg", "-n", "ssh", "--access", "Deny")
        self.assertEqual((changed["access"], changed["priority"]), ("Deny", 100))
        self.assertEqual([r["name"] for r in self.az(*rule, "list", "-g", group, "--nsg-name", "nsg")], ["ssh"])
        every = self.az(*rule, "list", "-g", group, "--nsg-name", "nsg", "--include-default")
        self.assertEqual(len(every), 7)
        self.az(*rule, "delete", "-g", group, "--nsg-name", "nsg", "-n", "ssh")
        self.assertEqual(self.az(*rule, "list", "-g", group, "--nsg-name", "nsg"), [])
        self.az("network", "nsg", "update", "-g", group, "-n", "nsg", "--set", "tags.a=b")
        self.assertEqual([n["tags"] for n in self.az("network", "nsg", "list", "-g", group)], [{"a": "b"}])
        self.az("network", "nsg", "delete", "-g", group, "-n", "nsg")
        self.fails("ResourceNotFound", "network", "nsg", "show", "-g", group, "-n", "nsg")

    def test_interfaces_and_public_addresses(self):
        group = self.group("interfaces")
        self.az(
            "network", "vnet", "create", "-g", group, "-n", "net", "--address-prefixes", "10.0.0.0/16", "--subnet-name",
            "one", "--subnet-prefixes", "10.0.0.0/29")
        address = self.az("network", "public-ip", "create", "-g", group, "-n", "ip", "--sku", "Standard")["publicIp"]
        self.assertEqual((address["publicIPAllocationMethod"], address["sku"]["name"]), ("Static", "Standard"))
        nic = ("network", "nic")
        place = ("-g", group, "--vnet-name", "net", "--subnet", "one")
        made = self.az(*nic, "create", *place, "-n", "a", "--public-ip-address", "ip")["NewNIC"]
        self.assertEqual(made["ipConfigurations"][0]["privateIPAddress"], "10.0.0.4")
        self.fails("PublicIPAddressInUse", *nic, "create", *place, "-n", "b", "--public-ip-address", "ip")
        self.fails("PrivateIPAddressInUse", *nic, "create", *place, "-n", "b", "--private-ip-address", "10.0.0.4")
        self.fails("PrivateIPAddressInReservedRange", *nic, "create", *place, "-n", "b", "--private-ip-address", "10.0.0.1")
        made = self.az(*nic, "create", *place, "-n", "b", "--private-ip-address", "10.0.0.6")["NewNIC"]
        self.assertEqual(made["ipConfigurations"][0]["privateIPAllocationMethod"], "Static")
        self.az(*nic, "create", *place, "-n", "c")
        self.fails("SubnetIsFull", *nic, "create", *place, "-n", "d")
        self.az("network", "nsg", "create", "-g", group, "-n", "nsg")
        changed = self.az(*nic, "update", "-g", group, "-n", "c", "--network-security-group", "nsg")
        self.assertTrue(changed["networkSecurityGroup"]["id"].endswith("/nsg"))
        self.assertEqual([n["name"] for n in self.az(*nic, "list", "-g", group)], ["a", "b", "c"])
        configured = self.az(*nic, "ip-config", "show", "-g", group, "--nic-name", "c", "-n", "ipconfig1")
        self.assertEqual(configured["privateIPAddress"], "10.0.0.5")
        self.fails("PublicIPAddressCannotBeDeleted", "network", "public-ip", "delete", "-g", group, "-n", "ip")
        self.fails("InUseSubnetCannotBeDeleted", "network", "vnet", "delete", "-g", group, "-n", "net")
        for name in "abc":
            self.az(*nic, "delete", "-g", group, "-n", name)
        self.az("network", "public-ip", "update", "-g", group, "-n", "ip", "--set", "tags.a=b")
        self.assertEqual(self.az("network", "public-ip", "show", "-g", group, "-n", "ip")["tags"], {"a": "b"})
        self.az("network", "public-ip", "delete", "-g", group, "-n", "ip")
        self.assertEqual(self.az("network", "public-ip", "list", "-g", group), [])
        self.az("network", "vnet", "delete", "-g", group, "-n", "net")
