internal import Foundation
internal import Synchronization

/// The emulator's time: the world's, or one that stands still until it is told.
package protocol EmulatorClock: Sendable {
    var now: EmulatorTime { get }
    /// Returns at that time, or earlier: whoever waits looks again.
    func wait(until time: EmulatorTime) async throws
    /// Lets time pass.
    /// - Returns: false for a clock that goes by itself.
    func advance(by duration: Duration) -> Bool
}

package struct WorldClock: EmulatorClock {
    package init() {}

    package var now: EmulatorTime { EmulatorTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }

    package func wait(until time: EmulatorTime) async throws {
        // A new operation may be due earlier, so no wait is longer than this.
        let pause = min(max(time.milliseconds - now.milliseconds, 1), 100)
        try await Task.sleep(for: .milliseconds(pause))
    }

    package func advance(by duration: Duration) -> Bool { false }
}

/// A clock for tests and rehearsals that are to be the same each time.
package final class ManualClock: EmulatorClock {
    private struct Face {
        var time: EmulatorTime
        var waiting: [AsyncStream<Never>.Continuation] = []
    }

    private let face: Mutex<Face>

    package init(_ start: EmulatorTime) { face = Mutex(Face(time: start)) }

    package var now: EmulatorTime { face.withLock { $0.time } }

    package func wait(until time: EmulatorTime) async throws {
        let (stream, continuation) = AsyncStream<Never>.makeStream()
        face.withLock { face in
            if face.time >= time { continuation.finish() } else { face.waiting.append(continuation) }
        }
        for await _ in stream {}
        try Task.checkCancellation()
    }

    package func advance(by duration: Duration) -> Bool {
        let waiting = face.withLock { face in
            face.time = face.time + duration
            defer { face.waiting = [] }
            return face.waiting
        }
        for continuation in waiting { continuation.finish() }
        return true
    }
}
