#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

extension CertificateAuthority {
    /// Keeps the authority, its private key in clear, in a new file that only its owner can read.
    ///
    /// The file appears whole or not at all, and is on the disk when this returns. Blocks on the disk.
    /// - Throws: ``TransportError/Code/keyStore``, also when the file is there already: an authority is never replaced.
    package func save(toFile path: String) throws(TransportError) {
        let pem = try PEM.encode(key: key, certificates: [certificate])
        let temporary = path + ".new"
        // Left over from a crash between here and the link below; nobody trusts it yet.
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .file(path, "cannot be written", errno) }
        defer { unlink(temporary) }
        try Self.store(pem, to: descriptor, path)
        // Unlike rename, link does not replace what is there.
        guard link(temporary, path) == 0 else { throw .file(path, "cannot be made", errno) }
        let folder = open(Self.folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    /// Reads what ``save(toFile:)`` kept. Blocks on the disk.
    /// - Throws: ``TransportError/Code/keyStore`` when the file cannot be read, can be read by others than its owner, or
    ///   holds something else.
    package init(contentsOfFile path: String) throws(TransportError) {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file(path, "cannot be read", errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .file(path, "cannot be read", errno) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 == 0 else {
            throw TransportError(
                .keyStore,
                "\(path) holds the run's private key, but is open to others than its owner; it was not used. "
                    + "If nobody has read it: chmod 600 \(path)")
        }
        var pem: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .file(path, "cannot be read", errno) }
            if count == 0 { break }
            pem += chunk[..<count]
            guard pem.count <= 1 << 16 else { throw TransportError(.keyStore, "\(path) is too large for a key") }
        }
        guard let certificate = try PEM.decodeCertificates(pem).first, let key = PEM.decodeKey(pem) else {
            throw TransportError(
                .keyStore,
                "\(path) does not hold a certificate authority; without it the run's hosts cannot be reached",
                cause: OpenSSLErrors.drain())
        }
        try self.init(certificate: certificate, key: key)
    }

    /// Closes `descriptor` in any case.
    private static func store(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(TransportError) {
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .file(path, "cannot be written", errno) }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0 else { throw .file(path, "cannot be written", errno) }
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

extension TransportError {
    fileprivate static func file(_ path: String, _ what: String, _ number: Int32) -> TransportError {
        TransportError(.keyStore, "\(path) \(what): \(String(cString: strerror(number)))")
    }
}
