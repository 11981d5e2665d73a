internal import CLinux
internal import Glibc
internal import SalvorSystem

/// The kernel's device mapper, spoken to directly: a table that holds a key goes from locked memory into the kernel, and
/// through no other program.
struct DeviceMapper: ~Copyable {
    static let folder = "/dev/mapper"
    private let control: Descriptor

    /// Blocking.
    init() throws(AgentError) {
        control = try Descriptor.open("\(Self.folder)/control", O_RDWR)
    }

    /// One line of a table: a target over a run of sectors of 512 bytes.
    struct Target: Sendable {
        var start: UInt64
        var count: UInt64
        var kind: String
        /// What the target is told. A secret, since dm-crypt is told its key.
        var parameters: SecretBytes
    }

    /// Makes a device and its node. Blocking.
    /// - Returns: the node's path.
    func create(_ name: String, _ targets: [Target], readOnly: Bool) throws(AgentError) -> String {
        let made = request(salvor_dm_create, name, readOnly: readOnly, [])
        guard made.failure == 0 else { throw error(made.failure, name) }
        do throws(AgentError) {
            for (step, targets) in [(salvor_dm_load, targets), (salvor_dm_resume, [])] {
                let failure = request(step, name, readOnly: readOnly, targets).failure
                guard failure == 0 else { throw error(failure, name) }
            }
            return try node(name, made.device)
        } catch {
            try? remove(name)
            throw error
        }
    }

    /// Blocking. Tries for five seconds, since blkid and others open a device for a moment.
    func remove(_ name: String) throws(AgentError) {
        for attempt in 0... {
            let failure = request(salvor_dm_remove, name, readOnly: false, []).failure
            // ENXIO: there is none of that name.
            if failure == 0 || failure == ENXIO { break }
            guard failure == EBUSY, attempt < 50 else { throw error(failure, name) }
            // The kernel offers nothing to wait on for a device that is busy.
            usleep(100_000)
        }
        unlink("\(Self.folder)/\(name)")
    }

    private func request(
        _ request: UInt, _ name: String, readOnly: Bool, _ targets: [Target]
    ) -> (device: UInt64, failure: Int32) {
        let specification = MemoryLayout<dm_target_spec>.size
        let lengths = targets.map { specification + ($0.parameters.count + 1 + 7) / 8 * 8 }
        let head = MemoryLayout<dm_ioctl>.size
        let size = lengths.reduce(head, +)
        var device: UInt64 = 0
        var failure: Int32 = 0
        _ = SecretBytes(count: max(size, 4096)) { (bytes) in
            var header = dm_ioctl()
            header.version = (4, 0, 0)
            header.data_size = UInt32(bytes.count)
            header.data_start = UInt32(head)
            header.target_count = UInt32(targets.count)
            // The kernel wipes its own copy of this request, too.
            header.flags = UInt32(DM_SECURE_DATA_FLAG) | (readOnly ? UInt32(DM_READONLY_FLAG) : 0)
            withUnsafeMutableBytes(of: &header.name) { $0.copyBytes(from: name.utf8.prefix(127)) }
            bytes.storeBytes(of: header, as: dm_ioctl.self)
            var place = head
            for (target, length) in zip(targets, lengths) {
                var line = dm_target_spec()
                line.sector_start = target.start
                line.length = target.count
                line.next = UInt32(length)
                withUnsafeMutableBytes(of: &line.target_type) { $0.copyBytes(from: target.kind.utf8.prefix(15)) }
                bytes.storeBytes(of: line, toByteOffset: place, as: dm_target_spec.self)
                target.parameters.withBytes { parameters in
                    UnsafeMutableRawBufferPointer(rebasing: bytes[(place + specification)...])
                        .copyMemory(from: parameters)
                }
                place += length
            }
            failure = salvor_device_mapper(control.number, request, bytes.baseAddress) == 0 ? 0 : errno
            device = bytes.load(as: dm_ioctl.self).dev
        }
        return (device, failure)
    }

    private func error(_ failure: Int32, _ name: String) -> AgentError {
        errno = failure
        return .systemCall("A device-mapper request", name)
    }

    /// Where no udev runs, nobody else makes it.
    private func node(_ name: String, _ device: UInt64) throws(AgentError) -> String {
        let path = "\(Self.folder)/\(name)"
        if access(path, F_OK) == 0 { return path }
        // The kernel's encoding of a number that fits 32 bits is glibc's too.
        guard mknod(path, S_IFBLK | 0o600, dev_t(device)) == 0 || errno == EEXIST else {
            throw .systemCall("mknod", path)
        }
        return path
    }
}
