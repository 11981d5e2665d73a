/// Which block devices the rescue system itself runs from: those that are mounted (directly or under LVM, RAID or
/// dm-crypt) or swapped to, and the disk of the rescue image, of which nothing is mounted once it has started.
struct RescueSystem {
    /// Label of the volume that carries the rescue VM's own configuration.
    static let configLabel = "SALVORCFG"
    /// GUID of the partition table of every rescue image that is a disk (Agent/README.md).
    static let diskGUID = "5a1f0b00-7265-4363-9565-64697363e291"

    private let sysfs: SysfsBlock
    private let usedNumbers: Set<String>
    private let swaps: Set<String>

    /// - Parameter mountRoot: where the agent itself mounts repair copies; those are not the rescue system's.
    init(sysfs: SysfsBlock, proc: String, mountRoot: String) {
        self.sysfs = sysfs
        let mounts = contents(ofFile: "\(proc)/self/mountinfo", limit: 1 << 22) ?? []
        var used: Set<String> = []
        for line in mounts.split(separator: UInt8(ascii: "\n")) {
            // 36 35 98:0 /root /mount/point options … : the third field is major:minor (proc(5)).
            let fields = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
            guard fields.count > 4, !fields[4].hasPrefix(mountRoot + "/") else { continue }
            used.insert(fields[2])
        }
        usedNumbers = used
        let lines = (contents(ofFile: "\(proc)/swaps") ?? []).split(separator: UInt8(ascii: "\n")).dropFirst()
        swaps = Set(
            lines.compactMap {
                $0.split(separator: UInt8(ascii: " ")).first.map { String(decoding: $0, as: UTF8.self) }
            })
    }

    /// Whether any of these devices, or one built upon it, is in use.
    func uses(_ devices: [String]) -> Bool {
        var queue = devices
        var seen: Set<String> = []
        while let device = queue.popLast() {
            guard seen.insert(device).inserted else { continue }
            if swaps.contains("/dev/\(device)") { return true }
            if let number = sysfs.text(device, "dev"), usedNumbers.contains(number) { return true }
            queue += sysfs.holders(device)
        }
        return false
    }
}
