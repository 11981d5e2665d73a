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
            #expect(part[header: "Content-Range"] == "bytes 4096-12287/\(content + 512)")
            #expect(try await part.all() == bytes)
            let pages = String(decoding: await ground.blob("GET", read, comp: "pagelist").body, as: UTF8.self)
            #expect(pages.contains("<PageRange><Start>4096</Start><End>12287</End></PageRange>"), "\(pages)")
            #expect(await ground.blob("HEAD", read)[header: "Content-Length"] == "\(content + 512)")
            // What Azure hands out is a VHD again, and could be uploaded as it is.
            let footer = try await ground.blob("GET", read, content - 512..<content + 512).all().suffix(512)
            try VHDFooter(Array(footer)).check(blob: "", size: content)
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
        "A field of the footer that is wrong is named, with the checksum right",
        arguments: [(7, "cookie"), (63, "disk type"), (55, "current size"), (67, "checksum")])
    func wrongField(position: Int, name: String) throws {
        var bytes = DiskGround.footer(of: content)
        bytes[position] ^= 1
        if position < 64 {
            bytes.replaceSubrange(64..<68, with: [0, 0, 0, 0])
            let sum = ~bytes.reduce(UInt32(0)) { $0 &+ UInt32($1) }
            for index in 0..<4 { bytes[64 + index] = UInt8(truncatingIfNeeded: sum >> (24 - 8 * UInt32(index))) }
        }
        let error = #expect(throws: ARMError.self) { try VHDFooter(bytes).check(blob: "b", size: content) }
        #expect(error?.code == "InvalidVhd" && error?.message.contains("specified \(name)") == true, "\(error as Any)")
    }

    @Test(
        "A footer that the emulator makes is one that it takes",
        arguments: [20 << 20, 1 << 30, 127 << 30, 2040 << 30, 32_767 << 30] as [Int64])
    func ownFooter(size: Int64) throws {
        try VHDFooter(VHDFooter.fixed(size: size, id: "11111111-1111-4111-8111-111111111111")).check(
            blob: "", size: size)
    }

    @Test("Geometry is counted as the specification counts it")
    func geometry() {
        let footer = VHDFooter.fixed(size: 127 << 30, id: "")
        #expect(Array(footer[56..<60]) == [0xFE, 0xFE, 16, 255])
        let small = VHDFooter.fixed(size: 20 << 20, id: "")
        #expect(Array(small[56..<60]) == [0x02, 0x5A, 4, 17])
    }

    @Test("A version that is not the client's is refused, and each write makes another")
    func conditions() async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        try await ground.makeUpload()
        let address = try await ground.grant("\(disks)/up")
        let before = try #require(await ground.blob("HEAD", address)[header: "ETag"])
        #expect(await ground.blob("GET", address, 0..<512, headers: ["if-match": before]).status == 206)
        #expect(await ground.blob("HEAD", address, headers: ["if-none-match": before]).status == 304)
        let written = await ground.write([UInt8](repeating: 1, count: 512), at: 0, to: address)
        #expect(written[header: "ETag"] != before)
        let stale = await ground.blob("GET", address, 0..<512, headers: ["if-match": before])
        #expect(stale.status == 412 && stale.storageCode == "ConditionNotMet")
        #expect(written[header: "Last-Modified"]?.hasSuffix(" GMT") == true)
        #expect(EmulatorTime(milliseconds: 1_721_362_140_000).http == "Fri, 19 Jul 2024 04:09:00 GMT")
    }

    @Test("A page that was damaged on its way is refused, and one that was asked for has its sum")
    func sums() async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        try await ground.makeUpload()
        let address = try await ground.grant("\(disks)/up")
        func put(_ sum: String) async -> EmulatorResponse {
            await ground.blob(
                "PUT", address, 0..<512, comp: "page", write: "update", body: [UInt8](repeating: 0, count: 512),
                headers: ["content-md5": sum])
        }
        let read = await ground.blob("GET", address, 0..<512, headers: ["x-ms-range-get-content-md5": "true"])
        let own = try #require(read[header: "Content-MD5"])
        // Of 512 zeros.
        #expect(own == "v2GerAzfP2jUluqTRBN+iw==")
        #expect(await put(own).status == 201)
        #expect(await put("AAAAAAAAAAAAAAAAAAAAAA==").storageCode == "Md5Mismatch")
        let long = await ground.blob(
            "GET", address, 0..<(4 << 20) + 512, headers: ["x-ms-range-get-content-md5": "true"])
        #expect(long.storageCode == "OutOfRangeInput")
    }

    @Test("What the emulator does not do is refused, and never answered with something else")
    func refused() async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        try await ground.azure.makeDisk("d")
        let address = try await ground.grant("\(disks)/d", access: "Read")
        for (method, comp) in [("PUT", "metadata"), ("PUT", nil), ("DELETE", nil), ("GET", "snapshot")] {
            #expect(await ground.blob(method, address, comp: comp).status == 400, "\(method) \(comp ?? "")")
        }
        let difference = await ground.blob("GET", address, comp: "pagelist", change: ("prevsnapshot", "x"))
        #expect(difference.status == 400)
        let beyond = await ground.blob("GET", address, 9 << 30..<10 << 30)
        #expect(beyond.status == 416 && beyond.storageCode == "InvalidRange")
        let reply = await ground.blob("HEAD", address, headers: ["x-ms-client-request-id": "mine"])
        #expect(reply[header: "x-ms-client-request-id"] == "mine")
    }

    @Test("A whole disk is streamed, however large it is")
    func stream() async throws {
        let ground = try DiskGround()
        try await ground.azure.makeGroup()
        try await ground.azure.makeDisk("d", sizeGB: 32_767)
        let reply = await ground.blob("GET", try await ground.grant("\(disks)/d", access: "Read"))
        let stream = try #require(reply.stream)
        #expect(reply.status == 200 && stream.bytes == (32_767 << 30) + 512)
        #expect(try await stream.read(stream.bytes - 1024..<stream.bytes - 512) == [UInt8](repeating: 0, count: 512))
        #expect(try await stream.read(stream.bytes - 512..<stream.bytes - 504) == Array("conectix".utf8))
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
