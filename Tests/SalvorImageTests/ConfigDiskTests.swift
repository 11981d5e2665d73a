import SalvorImage
import SystemPackage
import Testing

@Suite struct ConfigDiskTests {
    @Test func `The files come back, the label is on it, and only its owner may read it`() async throws {
        try await withScratch { scratch in
            let disk = scratch.appending("config.img")
            let bootstrap = [UInt8](0...255) + [UInt8](0...255)
            try await ConfigDisk.make(
                at: disk,
                files: [
                    .init(name: ConfigDisk.bootstrapName, bytes: bootstrap),
                    .init(name: ConfigDisk.networkName, bytes: Array("10.0.2.15/24\n".utf8)),
                ])
            let tools = ToolRunner()
            let back = try await tools.output("mcopy", ["-i", disk.string, "::/salvor-bootstrap", "-"])
            #expect(back == bootstrap)
            let label = try await tools.output("blkid", ["-p", "-o", "value", "-s", "LABEL", disk.string])
            #expect(String(decoding: label, as: UTF8.self) == "SALVORCFG\n")
            #expect(try await tools.output("stat", ["-c", "%a", disk.string]) == Array("600\n".utf8))
            // Where /init looks for it.
            #expect(Array(try Posix.read(disk)[43..<54]) == Array("SALVORCFG  ".utf8))
        }
    }

    @Test func `A disk that is there already is left alone`() async throws {
        try await withScratch { scratch in
            let disk = scratch.appending("config.img")
            try Posix.write([1, 2, 3], to: disk)
            let error = try await imageError { try await ConfigDisk.make(at: disk, files: []) }
            #expect(error?.code == .inputOutput)
            #expect(try Posix.read(disk) == [1, 2, 3])
        }
    }

    @Test func `Without mtools the error says what to install, and no half-made disk stays`() async throws {
        try await withScratch { scratch in
            let disk = scratch.appending("config.img")
            let error = try await imageError {
                try await ConfigDisk.make(at: disk, files: [], tools: ToolRunner(searchPath: [scratch]))
            }
            #expect(error?.code == .toolMissing)
            #expect(error?.nextStep.contains("apt-get install mtools") == true)
            #expect(Posix.kind(disk) == nil)
        }
    }
}
