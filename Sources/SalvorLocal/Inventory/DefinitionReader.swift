import SalvorCoordinatorCore
import SalvorQEMU
import SystemPackage

/// Reads one inventory file.
enum DefinitionReader {
    private static let keys = [
        "name", "disk", "firmware", "direct", "memory_mib", "cpus", "boot_probe", "original_disk",
        "computer_name",
    ]

    static func read(text: String, file: FilePath) throws(YAMLMistake) -> MachineDefinition {
        let root = try YAMLValue(text: text, file: file.string, of: "a machine's definition")
        let what = "a machine"
        let fields = try root.fields(keys, of: what)
        let name = try machineName(root.required("name", in: fields, of: what))
        let (disk, bus, sectorBytes) = try disk(root.required("disk", in: fields, of: what))
        let firmwareNode = try root.required("firmware", in: fields, of: what)
        let firmware = try firmwareNode.choice(MachineDefinition.Firmware.self)
        var direct: MachineDefinition.DirectBoot?
        if firmware == .direct {
            direct = try directBoot(root.required("direct", in: fields, of: "a machine with firmware “direct”"))
        } else if let surplus = fields["direct"] {
            throw surplus.mistake(
                found: "“direct” with firmware “\(firmware.rawValue)”",
                expected: "“direct” with firmware “direct” alone")
        }
        return MachineDefinition(
            file: file, name: name, disk: disk, bus: bus, sectorBytes: sectorBytes, firmware: firmware, direct: direct,
            memoryMiB: try root.required("memory_mib", in: fields, of: what).integer(16...1 << 20, "memory in MiB"),
            cpus: try fields["cpus"]?.integer(1...255, "a number of processors") ?? 1,
            bootProbe: try bootProbe(root.required("boot_probe", in: fields, of: what)),
            originalDisk: try originalDisk(fields["original_disk"], depth: 0),
            computerName: try fields["computer_name"]?.text("what Windows on the machine is called"))
    }

    private static func machineName(_ node: YAMLValue) throws(YAMLMistake) -> String {
        let expected = "a name of at most 64 letters, digits, dots, hyphens and underscores"
        let name = try node.text(expected)
        let isPlain =
            name.utf8.count <= 64 && name.first != "."
            && name.unicodeScalars.allSatisfy {
                $0.properties.isAlphabetic || "0123456789.-_".unicodeScalars.contains($0)
            }
        guard isPlain else { throw node.mistake(found: node.shown, expected: expected) }
        return name
    }

    private static func disk(
        _ node: YAMLValue
    ) throws(YAMLMistake) -> (MachineDefinition.Disk, MachineDisk.Bus, sectorBytes: Int) {
        let fields = try node.fields(["path", "format", "bus", "sector_bytes"], of: "a disk")
        let sectors = try fields["sector_bytes"]?.integer(512...4096, "512 or 4096") ?? 512
        guard sectors == 512 || sectors == 4096 else {
            throw (fields["sector_bytes"] ?? node).mistake(found: "\(sectors)", expected: "512 or 4096")
        }
        return (
            MachineDefinition.Disk(
                path: try node.required("path", in: fields, of: "a disk").path("the disk"),
                format: try node.required("format", in: fields, of: "a disk").choice(MachineDisk.Format.self)),
            try fields["bus"]?.choice(BusName.self).bus ?? .virtio, sectors
        )
    }

    /// What a definition can say of its disk's bus.
    private enum BusName: String, CaseIterable {
        case virtio, sata

        var bus: MachineDisk.Bus { self == .virtio ? .virtio : .sata }
    }

    private static func directBoot(_ node: YAMLValue) throws(YAMLMistake) -> MachineDefinition.DirectBoot {
        let fields = try node.fields(["kernel", "initramfs", "append"], of: "direct boot")
        return MachineDefinition.DirectBoot(
            kernel: try node.required("kernel", in: fields, of: "direct boot").path("the kernel"),
            initramfs: try fields["initramfs"]?.path("the initramfs"),
            append: try fields["append"]?.text("the kernel's command line") ?? "")
    }

    private static func bootProbe(_ node: YAMLValue) throws(YAMLMistake) -> MachineDefinition.BootProbe {
        let what = "a boot probe"
        let fields = try node.fields(["serial", "tcp", "timeout_seconds"], of: what)
        let kind: MachineDefinition.BootProbe.Kind
        switch (fields["serial"], fields["tcp"]) {
        case (let serial?, nil):
            let pattern = try serial.text("a regular expression")
            do {
                _ = try Regex(pattern)
            } catch {
                throw serial.mistake(found: "\(serial.shown) (\(error))", expected: "a regular expression")
            }
            kind = .serial(pattern)
        case (nil, let tcp?):
            kind = .tcp(try tcp.integer(1...65535, "a port"))
        default:
            throw node.mistake(
                found: fields["serial"] == nil ? "neither “serial” nor “tcp”" : "both “serial” and “tcp”",
                expected: "exactly one of “serial: PATTERN” and “tcp: PORT”")
        }
        let seconds = try node.required("timeout_seconds", in: fields, of: what).integer(1...86_400, "seconds")
        return MachineDefinition.BootProbe(kind: kind, timeoutSeconds: seconds)
    }

    private static func originalDisk(
        _ node: YAMLValue?, depth: Int
    ) throws(YAMLMistake) -> MachineDefinition.OriginalDisk? {
        guard let node else { return nil }
        let what = "an original disk"
        let fields = try node.fields(["path", "format", "replaced_by_run", "at", "previous"], of: what)
        guard depth < 16 else { throw node.mistake(found: "a disk that was replaced 16 times", expected: "fewer") }
        let previous = try originalDisk(fields["previous"], depth: depth + 1)
        return MachineDefinition.OriginalDisk(
            disk: MachineDefinition.Disk(
                path: try node.required("path", in: fields, of: what).path("the disk"),
                format: try node.required("format", in: fields, of: what).choice(MachineDisk.Format.self)),
            replacedByRun: try node.required("replaced_by_run", in: fields, of: what).text("the name of a run"),
            at: try node.required("at", in: fields, of: what).text("a time"),
            previous: previous.map { .some($0) } ?? .none)
    }
}
