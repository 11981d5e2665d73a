import SalvorCoordinatorCore
import SalvorQEMU
import SystemPackage
import Testing

@testable import SalvorLocal

@Suite("Inventory")
struct InventoryTests {
    private static let good = """
        name: web
        disk:
          path: disks/web.raw
          format: raw
        firmware: direct
        direct:
          kernel: vmlinuz
          initramfs: /boot/initrd
          append: console=ttyS0
        memory_mib: 256
        boot_probe:
          serial: "is ready$"
          timeout_seconds: 30
        """

    private func read(_ text: String) throws(YAMLMistake) -> MachineDefinition {
        try DefinitionReader.read(text: text, file: "/inv/web.yaml")
    }

    @Test("A definition is read in full, its relative paths from its own folder")
    func reads() throws {
        let definition = try read(Self.good)
        #expect(definition.name == "web")
        #expect(definition.disk.path == "/inv/disks/web.raw")
        #expect(definition.direct?.kernel == "/inv/vmlinuz")
        #expect(definition.direct?.initramfs == "/boot/initrd")
        #expect(definition.cpus == 1)
        #expect(definition.bus == .virtio)
        #expect(definition.bootProbe.kind == .serial("is ready$"))
        #expect(definition.originalDisk == nil)
    }

    @Test(
        "A mistake is told with line, column, what was found and what is expected",
        arguments: [
            ("format: raw", "format: vmware", "4:11", "“vmware”", "one of raw, qcow2, vhd, vhdx, vmdk"),
            ("memory_mib: 256", "memory: 256", "10:1", "“memory”; did you mean “memory_mib”?", "a key of a machine"),
            ("memory_mib: 256", "memory_mib: much", "10:13", "“much”", "memory in MiB, from 16"),
            ("memory_mib: 256", "memory_mib: 3", "10:13", "“3”", "from 16"),
            ("memory_mib: 256\n", "", "1:1", "without “memory_mib”", "the key “memory_mib”"),
            ("name: web", "name: [web]", "1:7", "a list", "a name"),
            ("name: web", "name: ../web", "1:7", "“../web”", "a name"),
            ("  path: disks/web.raw\n", "", "3:3", "a disk without “path”", "the key “path”"),
            ("is ready$", "is (ready$", "12:11", "“is (ready$”", "a regular expression"),
            ("serial: \"is ready$\"", "tcp: 70000", "12:8", "“70000”", "a port"),
            ("serial: \"is ready$\"", "pattern: x", "12:3", "“pattern”", "serial, tcp"),
            ("  serial: \"is ready$\"\n", "", "12:3", "neither", "exactly one of"),
            ("firmware: direct", "firmware: bios", "7:3", "“direct” with firmware “bios”", "firmware “direct” alone"),
            ("firmware: direct", "firmware: efi", "5:11", "“efi”", "one of direct, bios, uefi"),
            ("name: web", "name: web\nname: web", "1:1", "“name” more than once", "each key once"),
            ("name: web", "name: \"web", "12:12", "did not find", "YAML"),
        ])
    func mistakes(old: String, new: String, place: String, found: String, expected: String) throws {
        let text = Self.good.replacing(old, with: new)
        #expect(text != Self.good)
        do throws(YAMLMistake) {
            _ = try read(text)
            Issue.record("read without complaint: \(new)")
        } catch {
            #expect(error.description.hasPrefix("/inv/web.yaml:\(place): found "), "\(error)")
            #expect(error.description.contains(found), "\(error)")
            #expect(error.description.contains(expected), "\(error)")
        }
    }

    @Test(
        "What is no mapping is a mistake, not a crash",
        arguments: ["", "- a", "text", "{", "\t", "a: &b *b", "? [a]\n: b"])
    func nonsense(text: String) {
        #expect(throws: YAMLMistake.self) { try read(text) }
    }

    @Test("A machine is found beside broken files, and is never guessed where it may be in one")
    func folder() async throws {
        try await TestInventory.with { test in
            try test.write("name: [", to: "broken.yaml")
            try test.write("not yaml at all: [", to: "notes.txt")
            try test.write("not yaml at all: [", to: ".web.yaml.123.new")
            let inventory = Inventory(folder: test.inventory)
            #expect(try await inventory.definition(named: "web").name == "web")
            await #expect(throws: ProviderError(.invalidDefinition, "", nextStep: "")) {
                try await inventory.definition(named: "db")
            }
            await #expect(throws: ProviderError(.invalidDefinition, "", nextStep: "")) {
                try await inventory.definitions()
            }

            try PosixFile.remove(test.inventory.appending("broken.yaml"))
            do throws(ProviderError) {
                _ = try await inventory.definition(named: "wen")
                Issue.record("found a machine that is not there")
            } catch {
                #expect(error.code == .notFound)
                #expect(error.message.contains("Did you mean web?"))
            }
            try test.write(try test.text(), to: "again.yaml")
            await #expect(throws: ProviderError(.invalidDefinition, "", nextStep: "")) {
                try await inventory.definition(named: "web")
            }
        }
    }

    @Test("A missing inventory folder is named")
    func noFolder() async {
        await #expect(throws: ProviderError(.notFound, "", nextStep: "")) {
            try await Inventory(folder: "/no/such/inventory").definitions()
        }
    }
}
