import Dispatch
import Glibc
package import SystemPackage

/// Says when a file has grown or changed, by inotify, so that nobody polls.
package enum FileWatch {
    /// Yields once at the start and then after changes, several of which may come as one. Ends when its reader does.
    package static func changes(of path: FilePath) throws(QEMUError) -> AsyncStream<Void> {
        let descriptor = inotify_init1(Int32(O_NONBLOCK) | Int32(O_CLOEXEC))
        guard descriptor >= 0 else {
            throw QEMUError(.fileFailed, "\(path) cannot be watched.", cause: Errno(rawValue: errno))
        }
        let watch = path.withPlatformString { inotify_add_watch(descriptor, $0, UInt32(IN_MODIFY)) }
        guard watch >= 0 else {
            let reason = Errno(rawValue: errno)
            close(descriptor)
            throw QEMUError(.fileFailed, "\(path) cannot be watched.", cause: reason)
        }
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let source = ReadSource(descriptor: descriptor, queue: DispatchQueue(label: "file-watch")) {
            // The events themselves say nothing that the file does not.
            var scratch = [UInt8](repeating: 0, count: 4096)
            while Glibc.read(descriptor, &scratch, scratch.count) > 0 {}
            continuation.yield()
        }
        continuation.onTermination = { _ in source.cancel() }
        continuation.yield()
        return stream
    }
}
