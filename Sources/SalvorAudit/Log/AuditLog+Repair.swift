#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif
internal import SalvorDigest

/// The unfinished record that a crash leaves at the end of a log. Its append never returned, so nothing that it would
/// have announced was begun.
enum TornTail {
    /// Cuts off what follows the first `byteCount` bytes.
    static func cut(_ file: borrowing AppendFile, after byteCount: UInt64) throws(AuditError)
        -> AuditEvent.TornRecordDropped
    {
        let tail = try bytes(of: file, from: byteCount)
        try file.truncate(to: byteCount)
        return AuditEvent.TornRecordDropped(byteCount: UInt64(tail.count), sha256: SHA256.digest(of: tail))
    }

    /// At most one line's limit: a longer tail is no torn record.
    private static func bytes(of file: borrowing AppendFile, from start: UInt64) throws(AuditError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(file.byteCount - start))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                pread(
                    file.descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled,
                    off_t(start) + off_t(filled))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw AuditError(
                    .unreadable, "The audit log \(printable(file.path)) cannot be read to its end.",
                    nextStep: "Check the disk that it is on.", cause: SystemFailure(call: "read", errno: errno))
            }
            filled += count
        }
        return bytes
    }
}

/// A log that does not verify: evidence, and in the way of a run that must go on.
enum DamagedLog {
    /// Renames the log to the first free `NAME.damaged-N` beside it. The caller holds its lock.
    static func setAside(_ file: borrowing AppendFile, reason: String) throws(AuditError) -> AuditEvent.LogReplaced {
        guard file.byteCount > 0 else {
            return AuditEvent.LogReplaced(reason: reason, keptAs: nil, sha256: nil)
        }
        do {
            let digest = try SHA256.digest(ofFile: file.path)
            let keptAs = try moveToFreeName(file.path)
            return AuditEvent.LogReplaced(reason: reason, keptAs: keptAs, sha256: digest)
        } catch {
            throw AuditError(
                .notSound, "The audit log \(printable(file.path)) does not verify and cannot be set aside. \(reason)",
                nextStep: "Move the file away by hand, keep it as evidence, and repeat the command.", cause: error)
        }
    }

    private static func moveToFreeName(_ path: String) throws(SystemFailure) -> String {
        var number = 1
        // link(2) refuses a name that is taken, which rename(2) would overwrite.
        while link(path, "\(path).damaged-\(number)") != 0 {
            guard errno == EEXIST else { throw SystemFailure(call: "link", errno: errno) }
            number += 1
        }
        guard unlink(path) == 0 else { throw SystemFailure(call: "unlink", errno: errno) }
        return "\(path).damaged-\(number)"
    }
}
