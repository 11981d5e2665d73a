import Dispatch
import Glibc

/// Calls back on a queue when a descriptor can be read, until cancelled; then it closes the descriptor.
///
/// Unchecked, because Dispatch does not say what its manual does: a source may be activated and cancelled from any
/// thread. Nothing here is changed after the start.
final class ReadSource: @unchecked Sendable {
    private let source: any DispatchSourceRead

    /// Takes the descriptor over.
    init(
        descriptor: Int32, queue: DispatchQueue, readable: @escaping @Sendable () -> Void
    ) {
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setEventHandler(handler: readable)
        source.setCancelHandler { close(descriptor) }
        source.activate()
    }

    deinit { source.cancel() }

    /// May be called from anywhere, more than once.
    func cancel() { source.cancel() }
}
