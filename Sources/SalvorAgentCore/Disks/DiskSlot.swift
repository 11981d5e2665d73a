internal import Glibc

/// Where a disk is plugged in, as far as the platform's tools give it a number.
enum DiskSlot: Equatable {
    /// A place for data disks.
    case data(lun: UInt32)
    /// A place where Azure puts the machine's own disk or its temporary one. LUNs begin anew on each controller, so that
    /// one of these could pass for a data disk that is not there yet.
    case machine
    /// What names the disk is something else.
    case unnumbered
}

extension SysfsBlock {
    func slot(_ device: String) -> DiskSlot {
        if let namespace = number(device, "nsid") {
            return Self.slot(namespace: namespace, model: text(device, "device/model") ?? "")
        }
        guard let place = realPath(path(device, "device")) else { return .unnumbered }
        let components = place.split(separator: "/")
        // host:channel:target:LUN
        let address = components.last?.split(separator: ":") ?? []
        guard address.count == 4, let lun = UInt32(address[3]) else { return .unnumbered }
        guard let host = components.lastIndex(where: { $0.hasPrefix("host") && $0.dropFirst(4).allSatisfy(\.isNumber) })
        else { return .data(lun: lun) }
        let controller = "/" + components[..<host].joined(separator: "/")
        return Self.slot(lun: lun, channel: contents(ofFile: "\(controller)/device_id").map { trimmed($0) })
    }

    /// What azure-vm-utils and WALinuxAgent know of Azure's SCSI controllers: each is a VMBus channel whose id is the same
    /// on every machine.
    private static func slot(lun: UInt32, channel: String?) -> DiskSlot {
        let channel = channel?.lowercased().filter { $0 != "{" && $0 != "}" } ?? ""
        // Generation 1 has its own disk and the temporary one on two IDE controllers, generation 2 on its first SCSI
        // controller. Data disks are on the second SCSI controller, and on others after it.
        let own = ["00000000-0000-", "00000000-0001-", "f8b3781a-1e82-4818-a1c3-63d806ec15bb"]
        return own.contains { channel.hasPrefix($0) } ? .machine : .data(lun: lun)
    }

    /// What azure-vm-utils knows of Azure's NVMe controllers: one has the machine's own disk as its first namespace and the
    /// data disk of LUN n as namespace n + 2; the others are local disks, which come with the machine and go with it.
    private static func slot(namespace: UInt64, model: String) -> DiskSlot {
        if model == "MSFT NVMe Accelerator v1.0" {
            guard namespace >= 2 else { return .machine }
            return UInt32(exactly: namespace - 2).map { .data(lun: $0) } ?? .unnumbered
        }
        if model.hasPrefix("Microsoft NVMe Direct Disk") { return .machine }
        // A later controller of Azure's may count otherwise.
        if model.hasPrefix("MSFT ") || model.hasPrefix("Microsoft ") { return .unnumbered }
        return UInt32(exactly: namespace).map { .data(lun: $0) } ?? .unnumbered
    }

    private func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
