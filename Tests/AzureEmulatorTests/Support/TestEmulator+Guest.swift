import AzureEmulator
import SalvorJSON
import Testing

extension TestEmulator {
    /// Makes a machine with a disk, an interface and an identity of its own, and waits for it.
    func makeGuest(_ name: String = "guest", group: String = "rg") async throws -> ResourceID {
        try await makeGroup(group)
        try await makeDisk(name, group: group)
        let base = "resourceGroups/\(group)/providers"
        let root = "/subscriptions/\(Self.subscription)/\(base)"
        func make(_ path: String, _ body: JSONValue) async throws {
            let reply = try await self("PUT", "\(base)/\(path)", body)
            #expect((200...202).contains(reply.status), "\(path): \(reply.json)")
            pass(.seconds(60))
        }
        try await make(
            "Microsoft.Network/virtualNetworks/net",
            [
                "location": "westeurope",
                "properties": [
                    "addressSpace": ["addressPrefixes": ["10.0.0.0/16"]],
                    "subnets": [["name": "default", "properties": ["addressPrefix": "10.0.0.0/24"]]],
                ],
            ])
        try await make(
            "Microsoft.Network/networkInterfaces/\(name)",
            [
                "location": "westeurope",
                "properties": [
                    "ipConfigurations": [
                        [
                            "name": "one",
                            "properties": [
                                "subnet": [
                                    "id": .string("\(root)/Microsoft.Network/virtualNetworks/net/subnets/default")
                                ]
                            ],
                        ]
                    ]
                ],
            ])
        try await make(
            "Microsoft.Compute/virtualMachines/\(name)",
            [
                "location": "westeurope", "tags": ["a": "b"], "identity": ["type": "SystemAssigned"],
                "properties": [
                    "userData": "aGVsbG8=", "hardwareProfile": ["vmSize": "Standard_D2s_v5"],
                    "storageProfile": [
                        "osDisk": [
                            "createOption": "Attach", "osType": "Linux",
                            "managedDisk": ["id": .string("\(root)/Microsoft.Compute/disks/\(name)")],
                        ]
                    ],
                    "networkProfile": [
                        "networkInterfaces": [["id": .string("\(root)/Microsoft.Network/networkInterfaces/\(name)")]]
                    ],
                ],
            ])
        return try #require(ResourceID("\(root)/Microsoft.Compute/virtualMachines/\(name)"))
    }
}
