import SalvorCoordinatorCore
import SalvorJSON

/// What a rescue VM is made from.
struct HostPlan: Sendable {
    var name: HostName
    var location: String
    var zone: String?
    var group: ResourceID
    /// The uploaded rescue image: a disk of the same region and zone.
    var image: ResourceID
    var subnet: ResourceID
    var size: String
    var tags: JSONValue

    var machine: ResourceID { group.appending("Microsoft.Compute/virtualMachines", AzureNames.host(name)) }
    var disk: ResourceID { group.appending("Microsoft.Compute/disks", "\(AzureNames.host(name))-os") }
}

extension HostPlan {
    /// One deployment for the whole subscription makes group, disk, interface and machine: one call that changes
    /// something instead of four. The bootstrap, which holds the enrolment token, is a secure parameter: Azure keeps it
    /// neither in the deployment's record nor in its log.
    func deployment(userData: String) -> JSONValue {
        [
            "location": .string(location), "tags": tags,
            "properties": [
                "mode": "Incremental",
                "parameters": ["userData": ["value": .string(userData)]],
                "template": [
                    "$schema":
                        "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
                    "contentVersion": "1.0.0.0",
                    "parameters": ["userData": ["type": "securestring"]],
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
                "parameters": ["userData": ["value": "[parameters('userData')]"]],
                "template": [
                    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
                    "contentVersion": "1.0.0.0",
                    "parameters": ["userData": ["type": "securestring"]],
                    "resources": [diskResource, machineResource],
                ],
            ],
        ]
    }

    private var diskResource: JSONValue {
        var resource: [String: JSONValue] = [
            "type": "Microsoft.Compute/disks", "apiVersion": .string(APIVersion.disks.rawValue),
            "name": .string(disk.name), "location": .string(location), "tags": tags,
            "sku": ["name": "StandardSSD_LRS"],
            "properties": [
                "osType": "Linux", "hyperVGeneration": "V2", "networkAccessPolicy": "DenyAll",
                "publicNetworkAccess": "Disabled",
                "creationData": ["createOption": "Copy", "sourceResourceId": .string(image.text)],
            ],
        ]
        if let zone { resource["zones"] = [.string(zone)] }
        return .object(resource)
    }

    /// No public address, no login, nothing that listens; disk and interface go with the machine.
    private var machineResource: JSONValue {
        var resource: [String: JSONValue] = [
            "type": "Microsoft.Compute/virtualMachines", "apiVersion": .string(APIVersion.compute.rawValue),
            "name": .string(machine.name), "location": .string(location), "tags": tags,
            "dependsOn": [.string("[resourceId('Microsoft.Compute/disks', '\(disk.name)')]")],
            "properties": [
                "hardwareProfile": ["vmSize": .string(size)],
                "storageProfile": [
                    "osDisk": [
                        "createOption": "Attach", "osType": "Linux", "deleteOption": "Delete",
                        "managedDisk": ["id": .string(disk.text)],
                    ]
                ],
                "networkProfile": [
                    "networkApiVersion": "2022-11-01",
                    "networkInterfaceConfigurations": [
                        [
                            "name": .string("\(machine.name)-nic"),
                            "properties": [
                                "primary": true, "deleteOption": "Delete",
                                "ipConfigurations": [
                                    [
                                        "name": "primary",
                                        "properties": ["primary": true, "subnet": ["id": .string(subnet.text)]],
                                    ]
                                ],
                            ],
                        ]
                    ],
                ],
                "diagnosticsProfile": ["bootDiagnostics": ["enabled": true]],
                "userData": "[parameters('userData')]",
            ],
        ]
        if let zone { resource["zones"] = [.string(zone)] }
        return .object(resource)
    }
}
