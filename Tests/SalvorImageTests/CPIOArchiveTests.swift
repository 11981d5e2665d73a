import SalvorDigest
import SalvorImage
import SystemPackage
import Testing

@Suite struct CPIOArchiveTests {
    private func sample(reversed: Bool = false) -> CPIOArchive {
        var archive = CPIOArchive()
        let files: [(String, [UInt8], UInt32)] = [
            ("/usr/bin/one", Array("first\n".utf8), 0o755), ("/etc/empty", [], 0o600),
            ("/usr/share/ünïcode name", [UInt8](0...255), 0o644),
        ]
        for file in reversed ? files.reversed() : files { archive.addFile(file.0, file.1, permissions: file.2) }
        archive.addLink("/bin", to: "usr/bin")
        archive.addDirectory("/run", permissions: 0o1777)
        return archive
    }

    @Test func `Another program unpacks what was written, byte for byte`() async throws {
        try await withScratch { scratch in
            let tools = ToolRunner()
            try await tools.output(
                "cpio", ["--extract", "--make-directories", "--quiet"], in: scratch, input: sample().serialized())
            #expect(try Posix.read(scratch.pushing("usr/bin/one")) == Array("first\n".utf8))
            #expect(try Posix.read(scratch.pushing("usr/share/ünïcode name")) == [UInt8](0...255))
            #expect(try Posix.read(scratch.pushing("etc/empty")).isEmpty)
            #expect(try Posix.destination(ofSymlink: scratch.appending("bin")) == "usr/bin")
            #expect(Posix.isExecutableFile(scratch.pushing("usr/bin/one")))
        }
    }

    @Test func `Modes, owners and dates are those that were asked for, whoever builds`() async throws {
        let listing = try await ToolRunner().output(
            "cpio", ["--list", "--verbose", "--numeric-uid-gid", "--quiet"], input: sample().serialized())
        let lines = String(decoding: listing, as: UTF8.self).split(separator: "\n").map {
            $0.split(separator: " ", omittingEmptySubsequences: true)
        }
        #expect(
            lines.map { $0[0] } == [
                "lrwxrwxrwx", "drwxr-xr-x", "-rw-------", "drwxrwxrwt", "drwxr-xr-x", "drwxr-xr-x", "-rwxr-xr-x",
                "drwxr-xr-x", "-rw-r--r--",
            ])
        #expect(lines.allSatisfy { $0[2] == "0" && $0[3] == "0" && $0[7] == "1970" })
    }

    @Test func `The order of adding leaves no trace`() {
        #expect(sample().serialized() == sample(reversed: true).serialized())
    }

    @Test func `The format is that of the kernel's document`() {
        var archive = CPIOArchive()
        archive.addFile("/a", [0x62], permissions: 0o644)
        let text = String(decoding: archive.serialized().prefix(116), as: UTF8.self)
        #expect(
            text == "070701" + "00000001" + "000081A4" + "00000000" + "00000000" + "00000001" + "00000000" + "00000001"
                + "00000000" + "00000000" + "00000000" + "00000000" + "00000002" + "00000000" + "a\0" + "b\0\0\0")
        #expect(archive.serialized().count % 512 == 0)
    }
}
