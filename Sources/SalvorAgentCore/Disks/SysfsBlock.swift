internal import Glibc

/// What the kernel says of a block device below /sys/class/block. Blocking, though sysfs seldom is.
struct SysfsBlock {
    let root: String

    /// Disks with hardware behind them, in order: not loop devices, RAM disks or what is built upon others. Optical and
    /// floppy drives are never a repair copy, and reading one costs seconds. A drive without a medium has no size.
    func disks() -> [String] {
        names(in: "\(root)/class/block").filter { name in
            !name.hasPrefix("sr") && !name.hasPrefix("fd") && exists(name, "device") && !exists(name, "partition")
                && (sectors(name, "size") ?? 0) > 0
        }
        .sorted()
    }

    /// Partitions of a disk, as the kernel read its table.
    func partitions(of disk: String) -> [String] {
        names(in: "\(root)/class/block/\(disk)").filter { exists(disk, "\($0)/partition") }.sorted()
    }

    func path(_ device: String, _ attribute: String) -> String { "\(root)/class/block/\(device)/\(attribute)" }

    func text(_ device: String, _ attribute: String) -> String? {
        contents(ofFile: path(device, attribute)).map { trimmed($0) }
    }

    func number(_ device: String, _ attribute: String) -> UInt64? { text(device, attribute).flatMap { UInt64($0) } }

    /// sysfs counts in units of 512 bytes, whatever the sector size.
    func sectors(_ device: String, _ attribute: String) -> UInt64? {
        guard let count = number(device, attribute), count <= UInt64.max / 512 else { return nil }
        return count * 512
    }

    /// Serial number: virtio and NVMe say it in a file, SCSI in page 0x80 of its vital product data.
    func serial(_ device: String) -> String {
        for attribute in ["serial", "device/serial"] {
            if let serial = text(device, attribute), !serial.isEmpty { return serial }
        }
        guard let page = contents(ofFile: path(device, "device/vpd_pg80")), page.count > 4, page[1] == 0x80 else {
            return ""
        }
        let length = Int(page[2]) << 8 | Int(page[3])
        return trimmed(Array(page.dropFirst(4).prefix(length)))
    }

    /// Devices that are built upon this one: dm-crypt, LVM, RAID.
    func holders(_ device: String) -> [String] { names(in: path(device, "holders")) }

    private func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if let name = FileName(bytes: bytes)?.text, !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }

    private func exists(_ device: String, _ attribute: String) -> Bool { access(path(device, attribute), F_OK) == 0 }

    func trimmed(_ bytes: [UInt8]) -> String {
        let kept = bytes.drop { $0 <= 0x20 }.reversed().drop { $0 <= 0x20 }.reversed()
        return String(decoding: Array(kept), as: UTF8.self)
    }
}
