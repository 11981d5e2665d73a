import SalvorJSON
import Testing

@testable import AzureEmulator

private let disks = DiskGround.disks
private let snapshots = DiskGround.snapshots

@Suite struct DiskUpdateTests {
    @Test(
        "A change of a disk is done, and shown",
        arguments: [
            (["sku": ["name": "premium_lrs"]], "sku", ["name": "Premium_LRS", "tier": "Premium"]),
            (["sku": ["name": "Premium_LRS"]], "properties.tier", "P3"),
            (
                ["sku": ["name": "Premium_LRS"], "properties": ["diskSizeGB": 1000]], "properties.diskIOPSReadWrite",
                5000
            ),
            (["properties": ["diskSizeGB": 12]], "properties.diskSizeBytes", .integer(12 << 30)),
            (["properties": ["diskSizeGB": 10]], "properties.diskSizeGB", 10),
            (["tags": ["b": "2"]], "tags", ["b": "2"]),
            (["properties": ["osType": "windows"]], "properties.osType", "Windows"),
            (["properties": ["networkAccessPolicy": "DenyAll"]], "properties.networkAccessPolicy", "DenyAll"),
            // What is Azure's to say is not the client's.
            (["properties": ["diskState": "Attached"]], "properties.diskState", "Unattached"),
            (["properties": ["diskSizeBytes": 1]], "properties.diskSizeBytes", .integer(10 << 30)),
            (["managedBy": "me"], "managedBy", nil),
        ] as [(JSONValue, String, JSONValue?)])
    func change(_ change: JSONValue, _ name: String, _ value: JSONValue?) async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        try await ground.azure.makeDisk("d", sizeGB: 10)
        #expect(try await ground.azure("PATCH", "\(disks)/d", ["tags": ["a": "1"]]).status == 202)
        try await ground.finish()
        let reply = try await ground.azure("PATCH", "\(disks)/d", change)
        #expect(reply.status == 202, "\(reply.json)")
        try await ground.finish()
        let disk = try await ground.azure("GET", "\(disks)/d").json
        #expect(disk[path: name] == value)
        #expect(disk[path: "properties.provisioningState"] == "Succeeded")
    }

    @Test(
        "A change that cannot be is refused, and nothing is changed",
        arguments: [
            (["properties": ["diskSizeGB": 9]], "OperationNotAllowed"),
            (["properties": ["diskSizeGB": 32_768]], "OperationNotAllowed"),
            (["properties": ["diskSizeGB": "big"]], "InvalidParameter"),
            (["properties": ["osType": "Linux"]], "PropertyChangeNotAllowed"),
            (["properties": ["osType": "BeOS"]], "InvalidParameter"),
            (["properties": ["hyperVGeneration": "V1"]], "PropertyChangeNotAllowed"),
            (["properties": ["creationData": ["createOption": "Copy"]]], "PropertyChangeNotAllowed"),
            (["properties": ["networkAccessPolicy": "Some"]], "InvalidParameter"),
            (["properties": ["networkAccessPolicy": "AllowPrivate"]], "InvalidParameter"),
            (["sku": ["name": "Golden_LRS"]], "InvalidParameter"),
            (["location": "northeurope"], "PropertyChangeNotAllowed"),
        ] as [(JSONValue, String)])
    func refusal(_ change: JSONValue, _ code: String) async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        try await ground.azure.makeDisk("d", sizeGB: 10)
        let kind: JSONValue = ["properties": ["osType": "Windows", "hyperVGeneration": "V2"]]
        #expect(try await ground.azure("PATCH", "\(disks)/d", kind).status == 202)
        try await ground.finish()
        let before = try await ground.azure("GET", "\(disks)/d").json
        #expect(try await ground.azure("PATCH", "\(disks)/d", change).code == code)
        #expect(try await ground.azure("GET", "\(disks)/d").json == before)
    }

    @Test("A disk of a running machine is neither resized nor given another sku, and a waiting upload not resized")
    func busy() async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGround()
        #expect(try await ground.azure("PUT", "\(machines)/vm", TestEmulator.machine()).status == 201)
        try await ground.finish()
        let disk = "\(disks)/vm-os"
        for change in [["properties": ["diskSizeGB": 200]], ["sku": ["name": "Premium_LRS"]]] as [JSONValue] {
            #expect(try await ground.azure("PATCH", disk, change).code == "OperationNotAllowed")
        }
        #expect(try await ground.azure("PATCH", disk, ["tags": ["a": "1"]]).status == 202)
        try await ground.makeUpload()
        let growth: JSONValue = ["properties": ["diskSizeGB": 200]]
        #expect(try await ground.azure("PATCH", "\(disks)/up", growth).code == "OperationNotAllowed")
    }

    private let machines = "resourceGroups/rg/providers/Microsoft.Compute/virtualMachines"

    @Test("A disk that says DenyAll gives nobody access")
    func denied() async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        try await ground.azure.makeDisk("d")
        _ = try await ground.azure("PATCH", "\(disks)/d", ["properties": ["networkAccessPolicy": "DenyAll"]])
        try await ground.finish()
        let reply = try await ground.azure(
            "POST", "\(disks)/d/beginGetAccess", ["access": "Read", "durationInSeconds": 60])
        #expect(reply.code == "OperationNotAllowed" && reply.status == 409)
    }

    @Test("A copy takes over its source's system, bytes and size, and its generation only when told")
    func inheritance() async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        try await ground.azure.makeDisk("d", sizeGB: 10)
        let kind: JSONValue = [
            "properties": [
                "osType": "Windows", "hyperVGeneration": "V2", "securityProfile": ["securityType": "TrustedLaunch"],
                "purchasePlan": ["name": "n", "publisher": "p", "product": "q"],
            ]
        ]
        #expect(try await ground.azure("PATCH", "\(disks)/d", kind).status == 202)
        try await ground.finish()
        let told: JSONValue = ["properties": ["hyperVGeneration": "V2", "diskSizeGB": 20], "zones": ["2"]]
        #expect(try await ground.copy("\(disks)/d", to: "\(disks)/plain").status == 202)
        #expect(try await ground.copy("\(disks)/d", to: "\(disks)/told", told).status == 202)
        try await ground.finish()
        let plain = try await ground.azure("GET", "\(disks)/plain").json
        #expect(plain[path: "properties.osType"] == "Windows")
        for name in ["hyperVGeneration", "securityProfile", "purchasePlan"] {
            #expect(plain[path: "properties.\(name)"] == nil, "\(name)")
        }
        #expect(plain[path: "properties.creationData.sourceUniqueId"] != nil)
        let larger = try await ground.azure("GET", "\(disks)/told").json
        #expect(larger[path: "properties.hyperVGeneration"] == "V2")
        #expect(larger[path: "properties.diskSizeBytes"] == .integer(20 << 30))
        #expect(larger["zones"] == ["2"])
    }

    @Test("A source in another location is not found, and one that is being uploaded not allowed")
    func badSources() async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        try await ground.azure.makeDisk("d")
        let elsewhere = try await ground.copy("\(disks)/d", to: "\(disks)/far", ["location": "northeurope"])
        #expect(elsewhere.status == 404 && elsewhere.code == "NotFound")
        try await ground.makeUpload()
        #expect(try await ground.copy("\(disks)/up", to: "\(disks)/early").code == "OperationNotAllowed")
        for option in ["FromImage", "Import", "Restore", "CopyStart"] {
            let change: JSONValue = ["properties": ["creationData": ["createOption": .string(option)]]]
            let reply = try await ground.copy("\(disks)/d", to: "\(disks)/odd", change)
            #expect(reply.code == "InvalidParameter" && reply.status == 400, "\(option)")
        }
        #expect(try await ground.azure("GET", "\(disks)/odd").status == 404)
    }

    @Test("An upload of less than a whole GB is copied and grown from its real size")
    func realSize() async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        try await ground.makeUpload()
        let address = try await ground.grant("\(disks)/up")
        let footer = DiskGround.footer(of: DiskGround.content)
        #expect(await ground.write(footer, at: DiskGround.content, to: address).status == 201)
        #expect(try await ground.revoke("\(disks)/up").json["status"] == "Succeeded")
        #expect(try await ground.copy("\(disks)/up", to: "\(disks)/copy").status == 202)
        try await ground.finish()
        _ = try await ground.azure("PATCH", "\(disks)/copy", ["tags": ["a": "1"]])
        try await ground.finish()
        for name in ["up", "copy"] {
            let disk = try await ground.azure("GET", "\(disks)/\(name)").json
            #expect(disk[path: "properties.diskSizeGB"] == 1)
            #expect(disk[path: "properties.diskSizeBytes"] == .integer(DiskGround.content))
            #expect(try await ground.contents.length(try ground.content("\(disks)/\(name)")) == DiskGround.content)
        }
        _ = try await ground.azure("PATCH", "\(disks)/copy", ["properties": ["diskSizeGB": 2]])
        try await ground.finish()
        #expect(try await ground.contents.length(try ground.content("\(disks)/copy")) == 2 << 30)
    }
}
