import SalvorQEMU
import SystemPackage
import Testing

@testable import SalvorLocal

@Suite("Rewriting a definition")
struct DefinitionEditTests {
    private let file = FilePath("/inv/web.yaml")
    private let repaired = MachineDefinition.Disk(path: "/inv/web.salvor-r1-web.qcow2", format: .qcow2)
    private func original(
        run: String = "r1", previous: MachineDefinition.OriginalDisk.Previous = .none
    ) -> MachineDefinition.OriginalDisk {
        .init(
            disk: .init(path: "/inv/web.raw", format: .raw), replacedByRun: run, at: "2026-01-02T03:04:05Z",
            previous: previous)
    }

    private func rewrite(
        _ text: String, disk: MachineDefinition.Disk, original: MachineDefinition.OriginalDisk?
    ) throws -> String {
        var wanted = try DefinitionReader.read(text: text, file: file)
        wanted.disk = disk
        wanted.originalDisk = original
        let result = try DefinitionEdit(file: file).replacingDisk(
            in: text, with: disk, original: original, wanted: wanted)
        #expect(try DefinitionReader.read(text: result, file: file) == wanted)
        return result
    }

    private static let layouts = [
        """
        # head
        name: web   # who
        disk:
          # the shelf
          path: web.raw  # fast
          format: raw
        firmware: bios
        memory_mib: 64
        boot_probe: {serial: up, timeout_seconds: 9}
        # tail

        """,
        """
        name: web
        disk: { path: "web.raw", format: 'raw' }  # both
        firmware: bios
        memory_mib: 64
        boot_probe: {serial: up, timeout_seconds: 9}

        """,
        """
        name: web
        boot_probe:
            timeout_seconds: 9
            serial: up
        firmware: bios
        disk:
            format: raw
            path: /inv/web.raw
        memory_mib: 64
        """,
        "name: web\r\ndisk:\r\n  path: web.raw\r\n  format: raw\r\nfirmware: bios\r\nmemory_mib: 64\r\n"
            + "boot_probe: {serial: up, timeout_seconds: 9}\r\n",
    ]

    @Test("Comments and order survive a swap and its undoing", arguments: layouts)
    func keepsText(text: String) throws {
        let swapped = try rewrite(text, disk: repaired, original: original())
        for line in text.split(whereSeparator: \.isNewline) where line.contains("# ") {
            let comment = line[line.firstIndex(of: "#")!...]
            #expect(swapped.contains(comment))
        }
        #expect(swapped.contains("replaced_by_run: \"r1\""))
        let back = try rewrite(swapped, disk: .init(path: "/inv/web.raw", format: .raw), original: nil)
        #expect(!back.contains("original_disk"))
        let keys = { (text: String) in
            text.split(whereSeparator: \.isNewline).filter { $0.first?.isLetter == true }.map {
                $0.prefix { $0 != ":" }
            }
        }
        #expect(keys(back) == keys(text))
    }

    @Test("A machine that is repaired twice remembers both disks")
    func twice() throws {
        let once = try rewrite(Self.layouts[0], disk: repaired, original: original())
        var second = original(run: "r2", previous: .some(original()))
        second.disk = repaired
        let twice = try rewrite(once, disk: .init(path: "/inv/b.qcow2", format: .qcow2), original: second)
        #expect(twice.contains("# tail"))
        _ = try rewrite(twice, disk: repaired, original: original())
    }

    @Test(
        "A layout that cannot be edited in place is emitted anew, never written wrongly",
        arguments: [
            "{name: web, disk: {path: web.raw, format: raw}, firmware: bios, memory_mib: 64, boot_probe: {tcp: 1, timeout_seconds: 9}}",
            "name: web\ndisk:\n  path: >-\n    web.raw\n  format: raw\nfirmware: bios\nmemory_mib: 64\nboot_probe: {tcp: 1, timeout_seconds: 9}\n",
            "---\nname: web\ndisk: {path: \"web\\\n    .raw\", format: raw}\nfirmware: bios\nmemory_mib: 64\nboot_probe: {tcp: 1, timeout_seconds: 9}\n...\n",
        ])
    func fallback(text: String) throws {
        _ = try rewrite(text, disk: repaired, original: original())
    }

    @Test("Names with quotes, hashes and colons come back as they were")
    func hostileNames() throws {
        let disk = MachineDefinition.Disk(path: "/inv/a \"b\" #c: 'd' \\ {e}, é.raw", format: .raw)
        let text = try rewrite(Self.layouts[1], disk: disk, original: original(run: "yes"))
        _ = try rewrite(text, disk: repaired, original: original(run: "2026-01-01"))
    }
}
