import SalvorJSON
import Testing

@testable import AzureEmulator

private let disks = DiskGround.disks
private let snapshots = DiskGround.snapshots
private let content = DiskGround.content

@Suite struct BlobTests {
    @Test("An upload is granted, written, revoked, and is then a disk with those bytes, and so is its copy")
    func upload() async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        try await ground.makeUpload()
        #expect(try await ground.state("\(disks)/up") == "ReadyToUpload")
        let address = try await ground.grant("\(disks)/up")
        #expect(try await ground.state("\(disks)/up") == "ActiveUpload")
        let bytes = (0..<8192).map { UInt8(truncatingIfNeeded: $0 / 3) }
        #expect(await ground.write(bytes, at: 4096, to: address).status == 201)
        #expect(await ground.write(DiskGround.footer(of: content), at: content, to: address).status == 201)
        let ended = try await ground.revoke("\(disks)/up")
        #expect(ended.json["status"] == "Succeeded", "\(ended.json)")
        #expect(try await ground.state("\(disks)/up") == "Unattached")
        #expect(await ground.write(bytes, at: 4096, to: address).storageCode == "AuthenticationFailed")

        for (kind, copy) in [(disks, "copy"), (snapshots, "kept")] {
            let source = "\(DiskGround.root)/\(disks)/up"
            let reply = try await ground.azure(
                "PUT", "\(kind)/\(copy)",
                [
                    "location": "westeurope",
                    "properties": ["creationData": ["createOption": "Copy", "sourceResourceId": .string(source)]],
                ])
            #expect(reply.status == 202, "\(reply.json)")
            try await ground.finish()
            let read = try await ground.grant("\(kind)/\(copy)", access: "Read")
            #expect(try await ground.state("\(kind)/\(copy)") == "ActiveSAS")
            let part = await ground.blob("GET", read, 4096..<12288)
            #expect(part.status == 206)
            #expect(part[header: "Content-Range"] == "bytes 4096-12287/\(1 << 30)")
            #expect(try await part.all() == bytes)
            let pages = String(decoding: await ground.blob("GET", read, comp: "pagelist").body, as: UTF8.self)
            #expect(pages.contains("<PageRange><Start>4096</Start><End>12287</End></PageRange>"), "\(pages)")
            #expect(await ground.blob("HEAD", read)[header: "Content-Length"] == "\(1 << 30)")
            #expect(await ground.write(bytes, at: 0, to: read).storageCode == "AuthorizationPermissionMismatch")
            #expect(try await ground.azure("DELETE", "\(kind)/\(copy)").code == "OperationNotAllowed")
            _ = try await ground.revoke("\(kind)/\(copy)")
            #expect(try await ground.azure("DELETE", "\(kind)/\(copy)").status == 202)
            try await ground.finish()
        }
        // What a deleted disk was made of is gone with it.
        #expect(ground.folder.names("disks").count == 1)
    }

    @Test(
        "An upload whose footer is wrong is no disk, and can be done again",
        arguments: [0, 20, 48, 55, 60, 64, 511])
    func badFooter(position: Int) async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        try await ground.makeUpload()
        var bytes = DiskGround.footer(of: content)
        bytes[position] ^= 0x40
        // A wrong byte with a right checksum is still wrong, where it means something.
        let address = try await ground.grant("\(disks)/up")
        #expect(await ground.write(bytes, at: content, to: address).status == 201)
        let ended = try await ground.revoke("\(disks)/up")
        #expect(ended.json["status"] == "Failed" && ended.code == "InvalidVhd", "\(ended.json)")
        #expect(try await ground.state("\(disks)/up") == "ReadyToUpload")
        let again = try await ground.grant("\(disks)/up")
        #expect(again != address)
        #expect(await ground.write(DiskGround.footer(of: content), at: content, to: again).status == 201)
        #expect(try await ground.revoke("\(disks)/up").json["status"] == "Succeeded")
    }

    @Test(
        "An upload without a footer, or one of another size, is no disk", arguments: [nil, content - 512] as [Int64?])
    func otherFooter(size: Int64?) async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        try await ground.makeUpload()
        let address = try await ground.grant("\(disks)/up")
        if let size { #expect(await ground.write(DiskGround.footer(of: size), at: content, to: address).status == 201) }
        #expect(try await ground.revoke("\(disks)/up").code == "InvalidVhd")
    }

    @Test(
        "A write that is not whole pages within the blob is refused",
        arguments: [
            (0..<100, 100, "InvalidHeaderValue"), (100..<612, 512, "InvalidHeaderValue"),
            (0..<1024, 512, "InvalidHeaderValue"), (content + 512..<content + 1024, 512, "InvalidPageRange"),
            (content..<content + 1024, 1024, "InvalidPageRange"),
            (0..<(4 << 20) + 512, (4 << 20) + 512, "RequestBodyTooLarge"),
        ] as [(Range<Int64>, Int, String)])
    func badPages(range: Range<Int64>, bytes: Int, code: String) async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        try await ground.makeUpload()
        let address = try await ground.grant("\(disks)/up")
        let body = [UInt8](repeating: 1, count: bytes)
        let reply = await ground.blob("PUT", address, range, comp: "page", write: "update", body: body)
        #expect(reply.storageCode == code)
        #expect(String(decoding: reply.body, as: UTF8.self).contains("<Code>\(code)</Code>"))
    }

    @Test("Cleared pages are zeros and take no space")
    func clear() async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        try await ground.makeUpload()
        let address = try await ground.grant("\(disks)/up")
        #expect(await ground.write([UInt8](repeating: 7, count: 8192), at: 0, to: address).status == 201)
        #expect(await ground.blob("PUT", address, 0..<4096, comp: "page", write: "clear").status == 201)
        let bytes = try await ground.blob("GET", address, 0..<8192).all()
        #expect(bytes == [UInt8](repeating: 0, count: 4096) + [UInt8](repeating: 7, count: 4096))
        let pages = String(decoding: await ground.blob("GET", address, comp: "pagelist").body, as: UTF8.self)
        #expect(pages.contains("<Start>4096</Start>") && !pages.contains("<Start>0</Start>"))
    }

    @Test(
        "An address that was changed opens nothing",
        arguments: [("sig", "x"), ("sp", "rw"), ("se", "2099-01-01T00:00:00Z")]
    )
    func tampered(name: String, value: String) async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        try await ground.azure.makeDisk("d")
        let address = try await ground.grant("\(disks)/d", access: "Read")
        #expect(await ground.blob("GET", address, 0..<512).status == 206)
        let reply = await ground.blob("GET", address, 0..<512, change: (name, value))
        #expect(reply.status == 403 && reply.storageCode == "AuthenticationFailed")
    }

    @Test("A grant ends with its time, and the disk is free again")
    func expiry() async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        try await ground.azure.makeDisk("d")
        let address = try await ground.grant("\(disks)/d", access: "Read", seconds: 60)
        let second = try await ground.azure(
            "POST", "\(disks)/d/beginGetAccess", ["access": "Read", "durationInSeconds": 60])
        #expect(second.code == "OperationNotAllowed")
        ground.azure.pass(.seconds(60))
        #expect(await ground.blob("GET", address, 0..<512).status == 403)
        #expect(try await ground.state("\(disks)/d") == "Unattached")
        #expect(try await ground.azure("DELETE", "\(disks)/d").status == 202)
    }

    @Test(
        "A grant that cannot be is refused",
        arguments: [
            (["access": "Write", "durationInSeconds": 60], "OperationNotAllowed"),
            (["access": "Read"], "InvalidParameter"), (["durationInSeconds": 60], "InvalidParameter"),
            (["access": "Own", "durationInSeconds": 60], "InvalidParameter"),
        ] as [(JSONValue, String)])
    func badGrants(body: JSONValue, code: String) async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        try await ground.azure.makeDisk("d")
        #expect(try await ground.azure("POST", "\(disks)/d/beginGetAccess", body).code == code)
        #expect(try await ground.state("\(disks)/d") == "Unattached")
    }

    @Test("After a crash a copy is made anew from its source, and what no disk names is swept away")
    func crash() async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        try await ground.contents.materialise("source", bytes: 1 << 20)
        try await ground.contents.write(Array("bytes".utf8), at: 512, to: "source")
        // What a crash in the middle of a copy leaves.
        try await ground.contents.materialise("target.partial", bytes: 512)
        for _ in 0..<2 { try await ground.contents.copy(from: "source", to: "target", bytes: 2 << 20) }
        #expect(try await ground.contents.read("target", 512..<517) == Array("bytes".utf8))
        #expect(try await ground.contents.length("target") == 2 << 20)
        #expect(ground.folder.names("disks") == ["source", "target"])
        try ground.contents.sweep(keeping: ["target"])
        #expect(ground.folder.names("disks") == ["target"])
    }

    @Test("A thousand empty disks take no file")
    func emptyDisks() async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        for number in 0..<1000 { try await ground.azure.makeDisk("d\(number)") }
        #expect(ground.folder.names("disks").isEmpty)
    }
}
