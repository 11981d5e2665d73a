import SalvorImage
import Testing

@Suite struct ModuleSetTests {
    /// A kernel module that has nothing but what it says about itself.
    static func module(_ name: String, _ fields: [String]) throws -> KernelModule {
        let information: [UInt8] = fields.reduce(into: []) { $0 += Array($1.utf8) + [0] }
        let names = Array("\0.modinfo\0.shstrtab\0".utf8)
        func number<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
            (0..<MemoryLayout<Value>.size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        func section(_ name: UInt32, offset: Int, size: Int) -> [UInt8] {
            number(name) + number(UInt32(1)) + number(UInt64(0)) + number(UInt64(0)) + number(UInt64(offset))
                + number(UInt64(size)) + [UInt8](repeating: 0, count: 24)
        }
        let tableOffset = 64 + information.count + names.count
        var bytes: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1] + [UInt8](repeating: 0, count: 34)
        bytes += number(UInt64(tableOffset)) + number(UInt32(0)) + number(UInt16(64)) + number(UInt16(0))
        bytes += number(UInt16(0)) + number(UInt16(64)) + number(UInt16(3)) + number(UInt16(2))
        bytes += information + names + [UInt8](repeating: 0, count: 64)
        bytes += section(1, offset: 64, size: information.count)
        bytes += section(10, offset: 64 + information.count, size: names.count)
        return try #require(KernelModule(path: "kernel/\(name).ko", bytes: bytes))
    }

    private func set(_ wanted: [String], _ modules: [KernelModule], builtIn: Set<String> = []) throws -> ModuleSet {
        let byPath = Dictionary(uniqueKeysWithValues: modules.map { ($0.path, $0) })
        return try ModuleSet(
            wanted: wanted, builtIn: builtIn,
            paths: Dictionary(uniqueKeysWithValues: modules.map { ($0.name, $0.path) })
        ) { path throws(ImageError) in
            guard let module = byPath[path] else { throw ImageError(.contentMissing, path, nextStep: "") }
            return module
        }
    }

    @Test func `A module says what it needs and what it answers to`() throws {
        let module = try Self.module(
            "virtio-blk",
            ["license=GPL", "depends=virtio-ring,virtio", "softdep=pre: crc32c post: later", "alias=virtio:d2v*"])
        #expect(module.name == "virtio_blk")
        #expect(module.dependencies == ["virtio_ring", "virtio", "crc32c"])
        #expect(module.aliases == ["virtio:d2v*"])
    }

    @Test func `What a module needs comes with it, and is loaded first`() throws {
        let set = try set(
            ["top"],
            [
                try Self.module("top", ["depends=middle,base"]), try Self.module("middle", ["depends=base"]),
                try Self.module("base", ["depends="]), try Self.module("unasked", ["license=GPL"]),
            ])
        // modules.dep is read from the right.
        #expect(
            set.dependencyTable == """
                kernel/base.ko:
                kernel/middle.ko: kernel/base.ko
                kernel/top.ko: kernel/middle.ko kernel/base.ko

                """)
    }

    @Test func `Soft dependencies in a circle end`() throws {
        let set = try set(["a"], [try Self.module("a", ["softdep=pre: b"]), try Self.module("b", ["softdep=pre: a"])])
        #expect(set.dependencyTable == "kernel/a.ko: kernel/b.ko\nkernel/b.ko: kernel/a.ko\n")
    }

    @Test func `What is built into the kernel needs no file`() throws {
        #expect(try set(["nvme"], [], builtIn: ["nvme"]).modules.isEmpty)
    }

    @Test func `A module that the kernel lacks is named, with the one that asks for it`() throws {
        let error = #expect(throws: ImageError.self) { try set(["a"], [try Self.module("a", ["depends=gone"])]) }
        #expect(error?.code == .contentMissing)
        #expect(error?.message == "the kernel package has no module gone, which the module a asks for")
    }
}
