import SalvorJSON
import Testing

@testable import AzureEmulator

private let disks = DiskGround.disks
private let snapshots = DiskGround.snapshots

@Suite struct SnapshotTests {
    private static let copying = ["microsoft.compute/snapshots/hydrate": Duration.seconds(100)]
    private static let incremental: JSONValue = ["properties": ["incremental": true]]
    private static let abroad: JSONValue = [
        "location": "northeurope",
        "properties": ["incremental": true, "creationData": ["createOption": "CopyStart"]],
    ]
    private let bytes = Array("bytes of the disk".utf8)

    /// A disk with some bytes, and an incremental snapshot of it.
    private func makeGround() async throws -> DiskGround {
        let ground = try DiskGround(latencyOf: Self.copying)
        try await ground.azure.makeGroup()
        try await ground.azure.makeDisk("d")
        try await ground.finish()
        let content = try ground.content("\(disks)/d")
        try await ground.contents.materialise(content, bytes: 8 << 30)
        try await ground.contents.write(bytes, at: 0, to: content)
        #expect(try await ground.copy("\(disks)/d", to: "\(snapshots)/s", Self.incremental).status == 202)
        try await ground.finish()
        return ground
    }

    private func snapshot(_ name: String, _ ground: DiskGround) async throws -> JSONValue {
        try await ground.azure("GET", "\(snapshots)/\(name)").json[member: "properties"] ?? [:]
    }

    @Test("A snapshot is copied to another region in the background, and can be used when all of it is there")
    func copyStart() async throws {
        let ground = try await makeGround()
        let made = try await ground.copy("\(snapshots)/s", to: "\(snapshots)/far", Self.abroad)
        #expect(made.status == 202, "\(made.json)")
        try await ground.finish()
        let began = try await snapshot("far", ground)
        #expect(began["provisioningState"] == "Succeeded" && began["completionPercent"] == 0)
        #expect(began["snapshotAccessState"] == "Pending")
        ground.azure.pass(.seconds(40))
        #expect(try await snapshot("far", ground)["completionPercent"] == 40)
        let access: JSONValue = ["access": "Read", "durationInSeconds": 60]
        #expect(try await ground.azure("POST", "\(snapshots)/far/beginGetAccess", access).code == "OperationNotAllowed")
        let early = try await ground.copy("\(snapshots)/far", to: "\(disks)/early", ["location": "northeurope"])
        #expect(early.code == "OperationNotAllowed")
        // Its other settings are nothing to the copy.
        #expect(try await ground.azure("PATCH", "\(snapshots)/far", ["tags": ["a": "1"]]).status == 202)

        ground.azure.pass(.seconds(60))
        try await ground.finish()
        let done = try await snapshot("far", ground)
        #expect(done["completionPercent"] == 100 && done["snapshotAccessState"] == "Available")
        #expect(done["incrementalSnapshotFamilyId"] != nil)
        #expect(done["incrementalSnapshotFamilyId"] == (try await snapshot("s", ground))["incrementalSnapshotFamilyId"])
        let disk = try await ground.copy("\(snapshots)/far", to: "\(disks)/back", ["location": "northeurope"])
        #expect(disk.status == 202)
        try await ground.finish()
        #expect(try await ground.contents.read(try ground.content("\(disks)/back"), 0..<17) == bytes)
    }

    @Test("A source that is deleted ends the background copy, and the snapshot says so")
    func sourceGoes() async throws {
        let ground = try await makeGround()
        #expect(try await ground.copy("\(snapshots)/s", to: "\(snapshots)/far", Self.abroad).status == 202)
        try await ground.finish()
        #expect(try await ground.azure("DELETE", "\(snapshots)/s").status == 202)
        try await ground.finish()
        ground.azure.pass(.seconds(100))
        try await ground.finish()
        let failed = try await snapshot("far", ground)
        #expect(failed[path: "copyCompletionError.errorCode"] == "CopySourceNotFound")
        #expect(failed["completionPercent"] == 0)
        #expect(ground.folder.names("disks") == [try ground.content("\(disks)/d")])
    }

    @Test("A snapshot that is deleted while it is copied leaves nothing, and another of its name is another")
    func targetGoes() async throws {
        let ground = try await makeGround()
        #expect(try await ground.copy("\(snapshots)/s", to: "\(snapshots)/far", Self.abroad).status == 202)
        try await ground.finish()
        #expect(try await ground.azure("DELETE", "\(snapshots)/far").status == 202)
        try await ground.finish()
        ground.azure.pass(.seconds(50))
        #expect(try await ground.copy("\(snapshots)/s", to: "\(snapshots)/far", Self.abroad).status == 202)
        try await ground.finish()
        ground.azure.pass(.seconds(50))
        try await ground.finish()
        #expect(try await snapshot("far", ground)["completionPercent"] == 50)
        #expect(ground.folder.names("disks").count == 2)
    }

    @Test(
        "CopyStart is for incremental snapshots of incremental snapshots",
        arguments: [("\(disks)/d", true), ("\(snapshots)/full", true), ("\(snapshots)/s", false)])
    func badCopyStart(source: String, incremental: Bool) async throws {
        let ground = try await makeGround()
        #expect(try await ground.copy("\(disks)/d", to: "\(snapshots)/full").status == 202)
        try await ground.finish()
        let change: JSONValue = [
            "properties": ["incremental": .bool(incremental), "creationData": ["createOption": "CopyStart"]]
        ]
        #expect(try await ground.copy(source, to: "\(snapshots)/far", change).code == "InvalidParameter")
    }

    @Test("A snapshot that is put again is updated, and stays what it is of")
    func putAgain() async throws {
        let ground = try await makeGround()
        let again = try await ground.copy(
            "\(disks)/d", to: "\(snapshots)/s", Self.incremental.merged(with: ["tags": ["a": "1"]]))
        #expect(again.status == 202, "\(again.json)")
        try await ground.finish()
        let shown = try await ground.azure("GET", "\(snapshots)/s").json
        #expect(shown["tags"] == ["a": "1"] && shown[path: "properties.incremental"] == true)
        #expect(try await ground.copy("\(snapshots)/s", to: "\(snapshots)/s").code == "PropertyChangeNotAllowed")
        #expect(
            try await ground.copy("\(disks)/d", to: "\(snapshots)/s", ["properties": ["incremental": false]]).code
                == "PropertyChangeNotAllowed")
        let policy: JSONValue = ["properties": ["networkAccessPolicy": "DenyAll"], "sku": ["name": "Standard_ZRS"]]
        #expect(try await ground.azure("PATCH", "\(snapshots)/s", policy).status == 202)
        try await ground.finish()
        let changed = try await ground.azure("GET", "\(snapshots)/s").json
        #expect(changed[path: "properties.networkAccessPolicy"] == "DenyAll")
        #expect(changed["sku"] == ["name": "Standard_ZRS", "tier": "Standard"])
        #expect(changed["tags"] == ["a": "1"])
    }

    @Test("A snapshot keeps the bytes of its moment, while its disk goes on")
    func moment() async throws {
        let ground = try await makeGround()
        try await ground.contents.write([0], at: 0, to: try ground.content("\(disks)/d"))
        #expect(try await ground.contents.read(try ground.content("\(snapshots)/s"), 0..<17) == bytes)
    }
}
