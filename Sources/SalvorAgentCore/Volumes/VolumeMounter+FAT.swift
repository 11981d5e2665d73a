internal import Glibc
internal import SalvorMessages
internal import SalvorSystem

/// FAT is mounted by the kernel: EFI system partitions alone, which hold the boot manager's configuration.
extension VolumeMounter {
    /// The kernel's name of the file system, and libblkid's.
    static let fat = "vfat"

    /// Mounts a volume by the file system that is on it. Whoever gets it must unmount it.
    /// - Throws: as ``mount(_:_:)``.
    func mount(_ device: String, of volume: Salvor_V1_Volume, _ mode: Mode) async throws(AgentError) -> MountedVolume {
        volume.isFAT ? try await mountFAT(device, mode) : try await mount(device, mode)
    }

    private func mountFAT(_ device: String, _ mode: Mode) async throws(AgentError) -> MountedVolume {
        // By name: where there is no /sbin/modprobe, the kernel finds no file system by itself.
        _ = try await runTool(tools.modprobe, ["-aq", Self.fat, "nls_cp437", "nls_ascii"])
        return try await Blocking.run { () throws(AgentError) in
            let (source, mountPoint) = try prepare(device)
            var flags = UInt(MS_NODEV) | UInt(MS_NOSUID) | UInt(MS_NOEXEC) | UInt(MS_NOATIME)
            if mode == .look { flags |= UInt(MS_RDONLY) }
            guard Glibc.mount(source, mountPoint, Self.fat, flags, "utf8=1,umask=077,tz=UTC") == 0 else {
                let error = AgentError.systemCall("mount", device, code: .unreadable)
                rmdir(mountPoint)
                throw error
            }
            live.insert(device)
            let volume = MountedVolume(
                device: device, mountPoint: mountPoint, mode: mode, daemon: nil, live: live, stepLimit: stepLimit)
            do throws(AgentError) {
                guard let entry = try MountTable.current().entry(at: mountPoint) else {
                    throw .systemCall("mount", device, code: .unreadable)
                }
                try check(entry, source, volume)
                try volume.openRoot()
            } catch {
                umount(mountPoint)
                live.remove(device)
                rmdir(mountPoint)
                throw error
            }
            return volume
        }
    }
}

extension Salvor_V1_Volume {
    var isFAT: Bool { fileSystem == VolumeMounter.fat }

    /// Of GPT, and of MBR.
    private static let efiTypes: Set<String> = ["c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "0xef"]

    /// Where the boot manager and its configuration lie on machines with UEFI.
    var isEFISystem: Bool { isFAT && Self.efiTypes.contains(partitionType) }
}
