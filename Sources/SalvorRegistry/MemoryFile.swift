internal import CLinux
internal import Glibc

/// Bytes as a file without a name: libhivex reads and writes hives by path alone.
struct MemoryFile: ~Copyable {
    private let descriptor: Int32

    /// - Throws: ``HiveError`` where the memory is not there.
    init(_ bytes: [UInt8] = []) throws(HiveError) {
        descriptor = salvor_memory_file("hive")
        guard descriptor >= 0 else { throw Hive.failure("No memory for the hive") }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written)
            }
            guard count > 0 else { throw Hive.failure("No memory for the hive") }
            written += count
        }
    }

    deinit { close(descriptor) }

    /// As long as this lives.
    var path: String { "/proc/self/fd/\(descriptor)" }

    /// All that it holds now.
    func bytes() -> [UInt8]? {
        let size = Int(lseek(descriptor, 0, SEEK_END))
        guard size >= 0 else { return nil }
        var read = 0
        var bytes = [UInt8](repeating: 0, count: size)
        while read < size {
            let count = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress?.advanced(by: read), size - read, off_t(read))
            }
            guard count > 0 else { return nil }
            read += count
        }
        return bytes
    }
}
