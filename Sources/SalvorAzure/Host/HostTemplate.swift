import SalvorCoordinatorCore
import SalvorJSON

/// What a rescue VM is made from.
struct HostTemplate: Sendable {
    var name: HostName
    var machineName: String
    var location: String
    var zone: String?
    var group: ResourceID
    var source: Source
    var subnet: ResourceID
    var size: String
    var tags: JSONValue

    /// What it starts from.
    enum Source: Sendable {
        /// The uploaded rescue image: a disk of the same region and zone.
        case disk(ResourceID)
        case stock(StockImage)
    }

    var machine: ResourceID { group.appending("Microsoft.Compute/virtualMachines", machineName) }
    var disk: ResourceID { group.appending("Microsoft.Compute/disks", "\(machineName)-os") }
}

extension HostTemplate {
    /// One deployment for the whole subscription makes group, disk, interface and machine: one call that changes
    /// something instead of four. The bootstrap, which holds the enrolment token, is a secure parameter: Azure keeps it
    /// neither in the deployment's record nor in its log.
    /// - Parameter secret: base64: `userData` for our own image, `customData` for a stock one.
    func deployment(secret: String) -> JSONValue {
        [
            "location": .string(location), "tags": tags,
            "properties": [
                "mode": "Incremental",
                "parameters": ["secret": ["value": .string(secret)]],
                "template": [
                    "$schema":
                        "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
                    "contentVersion": "1.0.0.0",
                    "parameters": ["secret": ["type": "securestring"]],
                    "resources": [groupResource, nested],
                ],
            ],
        ]
    }

    private var groupResource: JSONValue {
        [
            "type": "Microsoft.Resources/resourceGroups", "apiVersion": .string(APIVersion.resources.rawValue),
            "name": .string(group.name), "location": .string(location), "tags": tags, "properties": [:],
        ]
    }

    private var nested: JSONValue {
        [
            "type": "Microsoft.Resources/deployments", "apiVersion": .string(APIVersion.resources.rawValue),
            "name": .string(AzureNames.host(name)), "resourceGroup": .string(group.name),
            "dependsOn": [
                .string("[subscriptionResourceId('Microsoft.Resources/resourceGroups', '\(group.name)')]")
            ],
            "properties": [
                "mode": "Incremental", "expressionEvaluationOptions": ["scope": "inner"],
                "parameters": ["secret": ["value": "[parameters('secret')]"]],
                "template": [
                    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
                    "contentVersion": "1.0.0.0",
                    "parameters": ["secret": ["type": "securestring"]],
                    "resources": .array(resources),
                ],
            ],
        ]
    }

    private var resources: [JSONValue] {
        switch source {
        case .disk(let image): [diskResource(image), machineResource]
        case .stock: [machineResource]
        }
    }

    private func diskResource(_ image: ResourceID) -> JSONValue {
        placed([
            "type": "Microsoft.Compute/disks", "apiVersion": .string(APIVersion.disks.rawValue),
            "name": .string(disk.name), "location": .string(location), "tags": tags,
            "sku": ["name": "StandardSSD_LRS"],
            "properties": [
                "osType": "Linux", "hyperVGeneration": "V2", "networkAccessPolicy": "DenyAll",
                "publicNetworkAccess": "Disabled",
                "creationData": ["createOption": "Copy", "sourceResourceId": .string(image.text)],
            ],
        ])
    }

    /// No public address, no login, nothing that listens; disk and interface go with the machine.
    private var machineResource: JSONValue {
        var properties: [String: JSONValue] = [
            "hardwareProfile": ["vmSize": .string(size)],
            "networkProfile": [
                "networkApiVersion": "2022-11-01", "networkInterfaceConfigurations": [interface],
            ],
            "diagnosticsProfile": ["bootDiagnostics": ["enabled": true]],
        ]
        var resource: [String: JSONValue] = [
            "type": "Microsoft.Compute/virtualMachines", "apiVersion": .string(APIVersion.compute.rawValue),
            "name": .string(machine.name), "location": .string(location), "tags": tags,
        ]
        switch source {
        case .disk:
            resource["dependsOn"] = [.string("[resourceId('Microsoft.Compute/disks', '\(disk.name)')]")]
            properties["storageProfile"] = [
                "osDisk": [
                    "createOption": "Attach", "osType": "Linux", "deleteOption": "Delete",
                    "managedDisk": ["id": .string(disk.text)],
                ]
            ]
            properties["userData"] = "[parameters('secret')]"
        case .stock(let image):
            properties["storageProfile"] = [
                "imageReference": [
                    "publisher": .string(image.publisher), "offer": .string(image.offer), "sku": .string(image.sku),
                    "version": .string(image.version),
                ],
                "osDisk": [
                    "name": .string(disk.name), "createOption": "FromImage", "deleteOption": "Delete",
                    "managedDisk": ["storageAccountType": "StandardSSD_LRS"],
                ],
            ]
            properties["osProfile"] = [
                "computerName": .string(machine.name), "adminUsername": "salvor",
                "customData": "[parameters('secret')]",
                "linuxConfiguration": [
                    "disablePasswordAuthentication": true,
                    "ssh": [
                        "publicKeys": [
                            [
                                "path": "/home/salvor/.ssh/authorized_keys",
                                "keyData": .string(KeyWithoutOwner.ssh()),
                            ]
                        ]
                    ],
                ],
            ]
        }
        resource["properties"] = .object(properties)
        return placed(resource)
    }

    private var interface: JSONValue {
        [
            "name": .string("\(machine.name)-nic"),
            "properties": [
                "primary": true, "deleteOption": "Delete",
                "ipConfigurations": [
                    ["name": "primary", "properties": ["primary": true, "subnet": ["id": .string(subnet.text)]]]
                ],
            ],
        ]
    }

    private func placed(_ resource: [String: JSONValue]) -> JSONValue {
        var resource = resource
        if let zone { resource["zones"] = [.string(zone)] }
        return .object(resource)
    }
}
