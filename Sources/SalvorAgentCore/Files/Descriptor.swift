internal import Glibc

/// An open file descriptor, closed when it goes out of use.
package struct Descriptor: ~Copyable, Sendable {
    package let number: Int32

    /// Takes ownership of `number`.
    init(owning number: Int32) { self.number = number }

    deinit { close(number) }
}

extension Descriptor {
    /// Opens a path of the rescue VM's own (never one below a mounted volume: see ``VolumeTree``).
    static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(AgentError) -> Descriptor {
        let number = Glibc.open(path, flags | O_CLOEXEC, mode)
        guard number >= 0 else { throw .systemCall("open", path) }
        return Descriptor(owning: number)
    }

    /// Reads until `buffer` is full or the file ends.
    /// - Returns: how many bytes of `buffer` are filled.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64? = nil, of name: String)
        throws(AgentError) -> Int
    {
        var filled = 0
        while filled < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let count =
                if let offset {
                    pread(number, rest.baseAddress, rest.count, off_t(offset) + off_t(filled))
                } else {
                    Glibc.read(number, rest.baseAddress, rest.count)
                }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .systemCall("read", name, code: .unreadable) }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    func write(_ bytes: UnsafeRawBufferPointer, to name: String) throws(AgentError) {
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = Glibc.write(number, rest.baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw .systemCall("write", name, code: errno == ENOSPC ? .quarantineFull : .systemCall)
            }
            written += count
        }
    }

    /// Reads until `buffer` is full or the file ends.
    /// - Returns: how many bytes of `buffer` are filled.
    func read(into buffer: inout [UInt8], at offset: Int64? = nil, of name: String) throws(AgentError) -> Int {
        let result: Result<Int, AgentError> = buffer.withUnsafeMutableBytes { bytes in
            do throws(AgentError) {
                return .success(try read(into: bytes, at: offset, of: name))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    func write(_ bytes: ArraySlice<UInt8>, to name: String) throws(AgentError) {
        let result: Result<Void, AgentError> = bytes.withUnsafeBytes { bytes in
            do throws(AgentError) {
                return .success(try write(bytes, to: name))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Everything written through this descriptor is on the device when this returns.
    func synchronize(_ name: String) throws(AgentError) {
        guard fsync(number) == 0 else { throw .systemCall("fsync", name) }
    }

    /// Size in bytes, of a block device too.
    func size(of name: String) throws(AgentError) -> UInt64 {
        let end = lseek(number, 0, SEEK_END)
        guard end >= 0, lseek(number, 0, SEEK_SET) == 0 else { throw .systemCall("lseek", name) }
        return UInt64(end)
    }
}

/// All of a small file of the rescue VM's own, at most `limit` bytes; nil where there is none.
func contents(ofFile path: String, limit: Int = 1 << 20) -> [UInt8]? {
    guard let file = try? Descriptor.open(path, O_RDONLY) else { return nil }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    while bytes.count < limit {
        // Files of /proc and /sys give what they have in one read and do not fill a buffer.
        let count = buffer.withUnsafeMutableBytes { read(file.number, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { return nil }
        if count == 0 { break }
        bytes += buffer[..<count]
    }
    return bytes
}

extension AgentError {
    /// The system call that failed, with `errno` as it is now.
    static func systemCall(_ call: String, _ what: String, code: Code = .systemCall) -> AgentError {
        let number = errno
        return AgentError(
            code, "\(call) of \(what) failed: \(String(cString: strerror(number))) (errno \(number)).",
            next: "See the agent's log and the rescue VM's console; try again on a fresh repair copy.")
    }
}
