/// Progress as a sequence, for a renderer in a task of its own.
package struct ProgressStream: Sendable {
    package let events: AsyncStream<ProgressEvent>
    private let continuation: AsyncStream<ProgressEvent>.Continuation

    package init() {
        // Unbounded: the events of a run are few, and losing the last one would leave a line on the terminal unfinished.
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    /// Give this to ``RunDependencies/progress``.
    package func send(_ event: ProgressEvent) { continuation.yield(event) }

    package func finish() { continuation.finish() }
}
