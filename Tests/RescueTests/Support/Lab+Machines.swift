import Fixtures
import SalvorDigest
import SalvorImage
import SystemPackage

/// A machine in a lab's inventory, as it was when it was made.
struct LabMachine: Sendable {
    var name: String
    var disk: FilePath
    var diskDigest: Digest
    var definition: FilePath
    var definitionText: String
}

extension Lab {
    /// Makes a machine's disk and its entry in the inventory. It boots as the real one did: not at all while a faulty
    /// channel file is on its C:.
    @discardableResult
    func add(
        _ name: String, _ windows: BrokenWindows = BrokenWindows(), readyLine: String = StandInGuest.readyLine,
        computerName: String? = nil
    ) async throws -> LabMachine {
        let disk = disks.appending("\(name).raw")
        try await DiskMaker().make(windows.disk, at: disk)
        return try await define(name, disk: disk, readyLine: readyLine, computerName: computerName)
    }

    /// Writes the inventory's entry of a machine whose disk is there.
    func define(
        _ name: String, disk: FilePath, format: String = "raw", sectorBytes: Int = 512,
        readyLine: String = StandInGuest.readyLine, computerName: String? = nil
    ) async throws -> LabMachine {
        let guest = try await StandInGuest.image(cacheDirectory: ImageBuilder.defaultCacheDirectory)
        let text = """
            # An operator's own words stay.
            name: \(name)\(computerName.map { "\ncomputer_name: \($0)" } ?? "")
            disk:
              path: ../disks/\(disk.lastComponent?.string ?? "")
              format: \(format)
              sector_bytes: \(sectorBytes)
            firmware: direct
            direct:
              kernel: \(guest.kernel)
              initramfs: \(guest.initramfs)
              append: "\(StandInGuest.commandLine)"
            memory_mib: 256
            cpus: 1
            boot_probe:
              serial: "\(readyLine)"
              timeout_seconds: 120

            """
        let definition = inventory.appending("\(name).yaml")
        try Posix.write(Array(text.utf8), to: definition)
        return LabMachine(
            name: name, disk: disk, diskDigest: try SHA256.digest(ofFile: disk.string), definition: definition,
            definitionText: text)
    }

    /// The copies that lie beside a machine's disk.
    func copies(of machine: LabMachine) throws -> [String] {
        let stem = machine.disk.stem ?? ""
        return try Posix.names(in: disks).filter {
            $0.hasPrefix("\(stem).") && $0 != machine.disk.lastComponent?.string
        }
    }
}

extension LabMachine {
    var diskIsUnchanged: Bool { get throws { try SHA256.digest(ofFile: disk.string) == diskDigest } }

    var currentDefinition: String {
        get throws { String(decoding: try Posix.read(definition), as: UTF8.self) }
    }
}
