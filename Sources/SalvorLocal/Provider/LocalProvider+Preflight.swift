package import SalvorCoordinatorCore
import Glibc
import SalvorQEMU
internal import SalvorSystem
import SystemPackage

extension LocalProvider {
    /// What a repair writes to an overlay at the least, with room to spare.
    private static let overlayRoom: UInt64 = 64 << 20

    package func preflight(_ machine: Machine) async throws(ProviderError) -> [String] {
        _ = try await providing { () throws(QEMUError) in
            _ = try configuration.tools.system()
            _ = try configuration.tools.image()
            return try relayCommand(coordinatorPort: 0)
        }
        try await requireRescueImage()
        let definition = try await inventory.definition(named: machine.name)
        try await requireFirmware(definition)
        let disk = try Self.disk(machine.osDisk)
        let sizeBytes = try await DiskCheck(image: image).check(disk)
        try await Blocking.run { () throws(ProviderError) in
            // Taken and let go at once: what counts is whether it can be had.
            _ = try DiskLock(disk.path)
        }
        let isOverlay = configuration.makesOverlay(of: disk.format)
        return try await Blocking.run { () throws(ProviderError) in
            try Self.remarks(disk, sizeBytes: sizeBytes, isOverlay: isOverlay)
        } + earlierSwap(definition)
    }

    private func earlierSwap(_ definition: MachineDefinition) -> [String] {
        guard let original = definition.originalDisk else { return [] }
        return [
            "\(definition.name) already has a disk that run \(original.replacedByRun) repaired; that disk counts as the "
                + "original now, and needs \(original.disk.path) for as long as it is used."
        ]
    }

    private static func remarks(
        _ disk: MachineDefinition.Disk, sizeBytes: UInt64, isOverlay: Bool
    ) throws(ProviderError) -> [String] {
        let folder = disk.path.removingLastComponent()
        guard folder.withPlatformString({ access($0, W_OK | X_OK) }) == 0 else {
            throw ProviderError(
                .failed, "The repair copy goes beside the disk, and \(folder) may not be written by this user.",
                nextStep: "Grant write access to that folder, or run as a user who has it.")
        }
        let needed = isOverlay ? overlayRoom : sizeBytes
        if let free = FileStatus.freeBytes(at: folder), free < needed {
            throw ProviderError(
                .noSpace, "The repair copy of \(disk.path) needs \(needed >> 20) MiB and \(folder) has \(free >> 20).",
                nextStep: "Make room there and repeat the command. Nothing was changed.")
        }
        guard disk.format == .raw else { return [] }
        let head = (try? PosixFile.read(disk.path, limit: PartitionExtent.headBytes)) ?? []
        return PartitionExtent.bytes(head: head) == nil ? ["\(disk.path) has no partition table."] : []
    }

    @discardableResult
    func requireRescueImage() async throws(ProviderError) -> LocalConfiguration.RescueImage {
        let missing = ProviderError(
            .imageMissing, "The rescue image has not been built.", nextStep: "Run `salvor image build`.")
        guard let image = configuration.rescueImage else { throw missing }
        let isThere = await Blocking.run { PosixFile.exists(image.kernel) && PosixFile.exists(image.initramfs) }
        guard isThere else { throw missing }
        return image
    }

    /// The files that the machine itself starts from.
    private func requireFirmware(_ definition: MachineDefinition) async throws(ProviderError) {
        let firmware = definition.qemuFirmware
        let missing = await Blocking.run { firmware.files.first { !PosixFile.exists($0) } }
        guard let missing else { return }
        if definition.firmware == .uefi {
            throw ProviderError(
                .toolMissing, "\(definition.name) starts by UEFI, and \(missing) is not there.",
                nextStep: "Install Debian's package ovmf.")
        }
        throw ProviderError(
            .invalidDefinition, "\(definition.file): \(definition.name) starts from \(missing), which is not there.",
            nextStep: "Put it there, or mend “direct” in that file.")
    }
}

extension MachineDefinition {
    var qemuFirmware: SalvorQEMU.Firmware {
        switch (firmware, direct) {
        case (.uefi, _): .debianUEFI
        case (.direct, let direct?):
            .direct(kernel: direct.kernel, initramfs: direct.initramfs, append: direct.append)
        case (.bios, _), (.direct, nil): .bios
        }
    }
}

extension SalvorQEMU.Firmware {
    /// What must be there before QEMU is started.
    fileprivate var files: [FilePath] {
        switch self {
        case .direct(let kernel, let initramfs, _): [kernel] + (initramfs.map { [$0] } ?? [])
        case .bios: []
        case .uefi(let code, let variables): [code, variables]
        }
    }
}
