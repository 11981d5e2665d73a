/// What one kernel module says about itself in its `.modinfo` section.
package struct KernelModule: Sendable {
    /// With underscores, as the kernel names it: `virtio_blk`, `dm_crypt`.
    package let name: String
    /// Path below `/lib/modules/RELEASE`: `kernel/drivers/block/virtio_blk.ko`.
    package let path: String
    /// Modules that must be loaded before it: those whose symbols it uses, then those that it asks for softly.
    package let dependencies: [String]
    /// Patterns of devices and requests that it answers: `pci:v00001AF4d*…`, `fs-vfat`.
    package let aliases: [String]

    /// - Returns: nil when `bytes` is no kernel module.
    package init?(path: String, bytes: [UInt8]) {
        guard let file = ELFFile(bytes), let last = path.split(separator: "/").last, last.hasSuffix(".ko") else {
            return nil
        }
        let information = file.section(".modinfo")
        guard !information.isEmpty else { return nil }
        var dependencies: [String] = []
        var soft: [String] = []
        var aliases: [String] = []
        for field in information.split(separator: 0) {
            let text = String(decoding: field, as: UTF8.self)
            guard let equals = text.firstIndex(of: "=") else { continue }
            let value = text[text.index(after: equals)...]
            switch text[..<equals] {
            case "depends": dependencies += value.split(separator: ",").map(Self.canonicalName)
            case "softdep": soft += Self.preDependencies(value).map(Self.canonicalName)
            case "alias": aliases.append(String(value))
            default: continue
            }
        }
        name = Self.canonicalName(last.dropLast(3))
        self.path = path
        self.dependencies = dependencies + soft.filter { !dependencies.contains($0) }
        self.aliases = aliases
    }

    /// The kernel takes `-` and `_` in a module's name for the same.
    package static func canonicalName(_ name: some StringProtocol) -> String {
        String(name.map { $0 == "-" ? "_" : $0 })
    }

    /// The names after `pre:` and before `post:` in `pre: a b post: c`.
    private static func preDependencies(_ value: Substring) -> [Substring] {
        var inside = false
        return value.split(separator: " ").filter { word in
            if word.hasSuffix(":") { inside = word == "pre:" }
            return inside && !word.hasSuffix(":")
        }
    }
}
