package import Logging
package import SalvorMessages
internal import SwiftProtobuf
internal import Synchronization

/// The last log records, for whoever asks later, and all further ones for whoever listens. Bounded on both sides: what
/// a slow listener misses shows as a gap in the sequence.
package final class LogRing: Sendable {
    private struct State {
        var records: [Salvor_V1_LogRecord] = []
        var sequence: UInt64 = 0
        var listeners: [UInt64: AsyncStream<Salvor_V1_LogRecord>.Continuation] = [:]
        var nextListener: UInt64 = 0
    }

    private let state = Mutex(State())
    private let capacity: Int
    private let start = ContinuousClock.now
    private let console: (@Sendable (String) -> Void)?

    /// - Parameters:
    ///   - capacity: records kept.
    ///   - console: gets each record as a line without its end; must not block.
    package init(capacity: Int = 1000, console: (@Sendable (String) -> Void)? = nil) {
        self.capacity = capacity
        self.console = console
    }

    /// A logger whose records go here.
    package func logger(_ label: String, level: Logger.Level = .info) -> Logger {
        Logger(label: label) { RingLogHandler(ring: self, label: $0, logLevel: level) }
    }

    /// The records kept, and then each further one.
    package func records() -> AsyncStream<Salvor_V1_LogRecord> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Salvor_V1_LogRecord.self, bufferingPolicy: .bufferingNewest(2 * capacity))
        let id = state.withLock { state in
            for record in state.records { continuation.yield(record) }
            state.nextListener += 1
            state.listeners[state.nextListener] = continuation
            return state.nextListener
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.listeners.removeValue(forKey: id) }
        }
        return stream
    }

    func append(level: Logger.Level, message: String, metadata: [String: String]) {
        let elapsed = start.duration(to: .now).components
        let nanoseconds = UInt64(elapsed.seconds) * 1_000_000_000 + UInt64(elapsed.attoseconds / 1_000_000_000)
        let record = state.withLock { state in
            state.sequence += 1
            let record = Salvor_V1_LogRecord.with {
                $0.sequence = state.sequence
                $0.elapsedNanoseconds = nanoseconds
                $0.level = level.rawValue
                $0.message = message
                $0.metadata = metadata
            }
            state.records.append(record)
            if state.records.count > capacity { state.records.removeFirst(state.records.count - capacity) }
            for listener in state.listeners.values { listener.yield(record) }
            return record
        }
        console?(record.line)
    }
}

extension Salvor_V1_LogRecord {
    /// `t=1.234 level=info msg="…" key="…"`, in printable ASCII: names from a disk reach no terminal as they are.
    var line: String {
        let milliseconds = elapsedNanoseconds / 1_000_000
        let fraction = String(1000 + milliseconds % 1000).dropFirst()
        var line = "t=\(milliseconds / 1000).\(fraction) level=\(level) msg=\(Self.quoted(message))"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(Self.quoted(value))" }
        return line
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case " "..."~": quoted.unicodeScalars.append(scalar)
            default: quoted += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return quoted + "\""
    }
}

private struct RingLogHandler: LogHandler {
    let ring: LogRing
    let label: String
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        var text = all.mapValues { "\($0)" }
        if let error = event.error { text["error"] = "\(error)" }
        text["source"] = label
        ring.append(level: event.level, message: "\(event.message)", metadata: text)
    }
}
