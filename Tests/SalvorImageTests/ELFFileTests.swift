import SalvorImage
import SystemPackage
import Testing

@Suite struct ELFFileTests {
    @Test func `A program's loader and libraries are those that readelf names`() async throws {
        let bytes = try Posix.read("/usr/bin/qemu-img")
        let file = try #require(ELFFile(bytes))
        let text = String(
            decoding: try await ToolRunner().output("readelf", ["-d", "-l", "-W", "/usr/bin/qemu-img"]), as: UTF8.self)
        let needed = text.split(separator: "\n").filter { $0.contains("(NEEDED)") }.compactMap {
            $0.split { "[]".contains($0) }.dropFirst().first.map(String.init)
        }
        #expect(needed.count > 5)
        #expect(file.neededLibraries == needed)
        #expect(file.interpreter == "/lib64/ld-linux-x86-64.so.2")
    }

    @Test func `A static program needs nothing`() throws {
        let file = try #require(ELFFile(try Posix.read("/usr/bin/busybox")))
        #expect(file.neededLibraries == [])
        #expect(file.interpreter == nil)
    }

    @Test func `Whatever is cut off or overwritten, reading ends without a trap`() throws {
        let whole = Array(try Posix.read("/usr/bin/qemu-img").prefix(8192))
        for count in stride(from: 0, to: 400, by: 1) { look(Array(whole.prefix(count))) }
        for position in 4..<200 {
            for value: UInt8 in [0, 0x7F, 0xFF] {
                var damaged = whole
                damaged[position] = value
                look(damaged)
            }
        }
        #expect(ELFFile([]) == nil)
        #expect(ELFFile(Array("#!/bin/sh\n".utf8)) == nil)
    }

    private func look(_ bytes: [UInt8]) {
        guard let file = ELFFile(bytes) else { return }
        _ = file.neededLibraries
        _ = file.interpreter
        _ = file.section(".modinfo")
    }
}
