#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

extension SHA256 {
    /// SHA-256 of a whole file.
    /// - Throws: the `errno` of the open or read that failed.
    package static func digest(ofFile path: String) throws(DigestFileError) -> Digest {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DigestFileError(path: path, errno: errno) }
        defer { close(descriptor) }
        var hash = SHA256()
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw DigestFileError(path: path, errno: errno) }
            if count == 0 { return hash.finalize() }
            buffer.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
    }
}

/// A file that could not be hashed.
package struct DigestFileError: Error, CustomStringConvertible {
    package let path: String
    package let errno: Int32

    package var description: String {
        "\(path) cannot be read: \(String(cString: strerror(errno)))"
    }
}
