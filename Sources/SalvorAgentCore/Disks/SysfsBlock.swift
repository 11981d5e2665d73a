internal import Glibc

/// What the kernel says of a block device below /sys/class/block. Blocking, though sysfs seldom is.
struct SysfsBlock {
    let root: String

    /// Kernel names hold no separators: anything else is no device name and goes into no path.
    static func isName(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix(".") && !name.utf8.contains(UInt8(ascii: "/"))
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

    /// SCSI logical unit number, from the address host:channel:target:LUN, or NVMe namespace.
    func lun(_ device: String) -> UInt32? {
        if let namespace = number(device, "nsid") { return UInt32(exactly: namespace) }
        guard let target = link(path(device, "device")) else { return nil }
        let address = target.split(separator: "/").last?.split(separator: ":") ?? []
        return address.count == 4 ? UInt32(address[3]) : nil
    }

    /// Devices that are built upon this one: dm-crypt, LVM, RAID.
    func holders(_ device: String) -> [String] {
        guard let stream = opendir(path(device, "holders")) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if let name = FileName(bytes: bytes)?.text, Self.isName(name) { names.append(name) }
        }
        return names
    }

    private func link(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                characters.baseAddress.map { readlink(path, $0, characters.count) } ?? -1
            }
        }
        return count >= 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    private func trimmed(_ bytes: [UInt8]) -> String {
        let kept = bytes.drop { $0 <= 0x20 }.reversed().drop { $0 <= 0x20 }.reversed()
        return String(decoding: Array(kept), as: UTF8.self)
    }
}
