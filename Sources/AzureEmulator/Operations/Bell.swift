internal import Synchronization

/// Wakes one waiter, however often it is rung before the waiter looks.
final class Bell: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func ring() { continuation.yield() }

    func rings() -> AsyncStream<Void> { stream }
}
