import Glibc
import SystemPackage

enum UnixSocket {
    /// Connects to a stream socket and makes it non-blocking.
    ///
    /// The path may be longer than the 107 bytes that an address holds: it is reached through its folder's descriptor.
    static func connect(to path: FilePath) throws(Errno) -> Int32 {
        guard let name = path.lastComponent?.string else { throw .invalidArgument }
        let folder: FileDescriptor
        do {
            folder = try FileDescriptor.open(
                path.removingLastComponent(), .readOnly, options: [.directory, .closeOnExec])
        } catch {
            throw (error as? Errno) ?? .ioError
        }
        defer { try? folder.close() }

        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let text = Array("/proc/self/fd/\(folder.rawValue)/\(name)".utf8)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { buffer in
            guard text.count < buffer.count else { return false }
            buffer.copyBytes(from: text)
            return true
        }
        guard fits else {
            close(descriptor)
            throw .fileNameTooLong
        }
        // A Unix socket connects at once or fails; only a full backlog would make it wait.
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0, fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else {
            let reason = Errno(rawValue: errno)
            close(descriptor)
            throw reason
        }
        return descriptor
    }
}
