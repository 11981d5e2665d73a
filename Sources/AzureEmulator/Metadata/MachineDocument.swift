internal import SalvorJSON

/// What `/metadata/instance` says of a machine. All values are texts there, numbers and truths too.
struct MachineDocument {
    private let record: Record
    private let state: EmulatorState

    /// - Returns: nil for a machine that there is not.
    init?(_ id: ResourceID, in state: EmulatorState) {
        guard let record = state[id] else { return nil }
        self.record = record
        self.state = state
    }

    var json: JSONValue { ["compute": compute, "network": ["interface": .array(interfaces)]] }

    private var compute: JSONValue {
        let image = "properties.storageProfile.imageReference"
        return [
            "azEnvironment": "AzurePublicCloud", "customData": "",
            "evictionPolicy": text("properties.evictionPolicy"), "licenseType": text("properties.licenseType"),
            "isHostCompatibilityLayerVm": "false", "location": text("location"), "name": .string(record.id.name),
            "offer": text("\(image).offer"), "osProfile": osProfile,
            "osType": text("properties.storageProfile.osDisk.osType"),
            "placementGroupId": "",
            "plan": [
                "name": text("plan.name"), "product": text("plan.product"), "publisher": text("plan.publisher"),
            ],
            "platformFaultDomain": "0", "platformUpdateDomain": "0", "priority": text("properties.priority"),
            "provider": "Microsoft.Compute", "publicKeys": .array(publicKeys), "publisher": text("\(image).publisher"),
            "resourceGroupName": .string(record.id.resourceGroup ?? ""), "resourceId": .string(record.id.description),
            "securityProfile": [
                "encryptionAtHost": truth("properties.securityProfile.encryptionAtHost"),
                "secureBootEnabled": truth("properties.securityProfile.uefiSettings.secureBootEnabled"),
                "securityType": text("properties.securityProfile.securityType"),
                "virtualTpmEnabled": truth("properties.securityProfile.uefiSettings.vTpmEnabled"),
            ],
            "sku": text("\(image).sku"), "storageProfile": storageProfile,
            "subscriptionId": .string(record.id.subscription),
            "tags": .string(tags.map { "\($0):\($1)" }.joined(separator: ";")),
            "tagsList": .array(tags.map { ["name": .string($0), "value": .string($1)] }),
            "userData": .string(
                record.body[path: "properties.userData"]?.string ?? record.hidden[path: "userData"]?.string ?? ""),
            "version": text("\(image).version"), "virtualMachineScaleSet": ["id": ""],
            "vmId": text("properties.vmId"), "vmScaleSetName": "", "vmSize": text("properties.hardwareProfile.vmSize"),
            "zone": record.body["zones"]?.array?.first ?? "",
        ]
    }

    private var osProfile: JSONValue {
        [
            "adminUsername": text("properties.osProfile.adminUsername"),
            "computerName": text("properties.osProfile.computerName"),
            "disablePasswordAuthentication": truth(
                "properties.osProfile.linuxConfiguration.disablePasswordAuthentication"),
        ]
    }

    private var publicKeys: [JSONValue] {
        (record.body[path: "properties.osProfile.linuxConfiguration.ssh.publicKeys"]?.array ?? []).map { key in
            ["keyData": Self.text(of: key, "keyData"), "path": Self.text(of: key, "path")]
        }
    }

    private var tags: [(String, String)] {
        (record.body["tags"]?.object ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value.string ?? "") }
    }

    private var storageProfile: JSONValue {
        let image = "properties.storageProfile.imageReference"
        return [
            "dataDisks": .array((record.body[path: "properties.storageProfile.dataDisks"]?.array ?? []).map(disk)),
            "imageReference": [
                "id": text("\(image).id"), "offer": text("\(image).offer"), "publisher": text("\(image).publisher"),
                "sku": text("\(image).sku"), "version": text("\(image).version"),
            ],
            "osDisk": disk(record.body[path: "properties.storageProfile.osDisk"] ?? [:]),
            "resourceDisk": ["size": "0"],
        ]
    }

    private func disk(_ disk: JSONValue) -> JSONValue {
        let id = Self.text(of: disk, "managedDisk.id")
        let managed = id.string.flatMap(ResourceID.init).flatMap { state[$0] }
        func known(_ inMachine: String, _ inDisk: String) -> JSONValue {
            let own = Self.text(of: disk, inMachine)
            return own == "" ? managed.map { Self.text(of: $0.body, inDisk) } ?? "" : own
        }
        var json: JSONValue = [
            "caching": Self.text(of: disk, "caching"), "createOption": Self.text(of: disk, "createOption"),
            "diskSizeGB": known("diskSizeGB", "properties.diskSizeGB"), "image": ["uri": ""],
            "managedDisk": ["id": id, "storageAccountType": known("managedDisk.storageAccountType", "sku.name")],
            "name": known("name", "name"), "vhd": ["uri": ""],
            "writeAcceleratorEnabled": Self.truth(of: disk, "writeAcceleratorEnabled"),
        ]
        if let lun = disk[member: "lun"] {
            json[path: "lun"] = Self.text(lun)
            json[path: "isSharedDisk"] = "false"
            json[path: "isUltraDisk"] = "false"
            json[path: "diskCapacityBytes"] = Self.text(of: managed?.body ?? [:], "properties.diskSizeBytes")
        } else {
            json[path: "osType"] = Self.text(of: disk, "osType")
            json[path: "diffDiskSettings"] = ["option": Self.text(of: disk, "diffDiskSettings.option")]
            json[path: "encryptionSettings"] = ["enabled": Self.truth(of: disk, "encryptionSettings.enabled")]
        }
        return json
    }

    // MARK: Network

    private var interfaces: [JSONValue] {
        NetworkProfile.interfaceIDs(record.body).compactMap { ResourceID($0).flatMap { state[$0] } }.map(interface)
    }

    private func interface(_ interface: Record) -> JSONValue {
        let configurations = interface.body[path: "properties.ipConfigurations"]?.array ?? []
        let addresses = configurations.map { configuration -> JSONValue in
            let shown = configuration[path: "properties.publicIPAddress.id"]?.string.flatMap(ResourceID.init).flatMap {
                state[$0]?.body[path: "properties.ipAddress"]?.string
            }
            return [
                "privateIpAddress": Self.text(of: configuration, "properties.privateIPAddress"),
                "publicIpAddress": .string(shown ?? ""),
            ]
        }
        let subnets = configurations.compactMap { configuration -> JSONValue? in
            guard
                let prefix = configuration[path: "properties.subnet.id"]?.string.flatMap(ResourceID.init).flatMap({
                    state[$0]?.body
                })
            else { return nil }
            let range =
                prefix[path: "properties.addressPrefix"]?.string
                ?? prefix[path: "properties.addressPrefixes"]?.array?.first?.string ?? ""
            let halves = range.split(separator: "/").map(String.init)
            guard halves.count == 2 else { return nil }
            return ["address": .string(halves[0]), "prefix": .string(halves[1])]
        }
        let address = NetworkInterfaces.hardwareAddress(of: interface.id)
        return [
            "ipv4": ["ipAddress": .array(addresses), "subnet": .array(subnets)], "ipv6": ["ipAddress": []],
            "macAddress": .string(address.filter { $0 != "-" && $0 != ":" }.uppercased()),
        ]
    }

    // MARK: Texts

    private func text(_ path: String) -> JSONValue { Self.text(of: record.body, path) }
    private func truth(_ path: String) -> JSONValue { Self.truth(of: record.body, path) }

    private static func text(of value: JSONValue, _ path: String) -> JSONValue { text(value[path: path] ?? "") }

    private static func text(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string: value
        case .integer(let number): .string(String(number))
        case .bool(let truth): .string(truth ? "true" : "false")
        default: ""
        }
    }

    private static func truth(of value: JSONValue, _ path: String) -> JSONValue {
        value[path: path]?.bool == true ? "true" : "false"
    }
}
