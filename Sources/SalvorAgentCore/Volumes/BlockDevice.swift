internal import CLinux
internal import Glibc

/// A disk or partition, or an image file in its place.
enum BlockDevice {
    /// Writes out everything that the kernel holds of the device and forgets it, so that what is read next is what the
    /// device has. Blocking.
    static func flush(_ device: String) throws(AgentError) {
        let file = try Descriptor.open(device, O_RDONLY)
        try file.synchronize(device)
        var status = stat()
        guard fstat(file.number, &status) == 0 else { throw .systemCall("stat", device) }
        guard status.st_mode & S_IFMT == S_IFBLK else { return }
        guard salvor_flush_block_device(file.number) == 0 else { throw .systemCall("BLKFLSBUF", device) }
    }
}
