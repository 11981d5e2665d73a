import Dispatch
import Glibc
package import SalvorJSON
internal import SalvorSystem
import Synchronization
package import SystemPackage

/// A client of one machine's control socket, past the greeting and in command mode.
///
/// QEMU serves one client at a time on a socket. Commands may be sent from many tasks; answers find their askers by id.
package final class QMPClient: Sendable {
    typealias Answer = Result<JSONValue, QEMUError>

    private struct State {
        var reader = QMPLineReader()
        var nextID: Int64 = 1
        var pending: [Int64: OneShot<Answer>] = [:]
        var subscribers: [Int: AsyncStream<QMPEvent>.Continuation] = [:]
        var nextSubscriber = 0
        var ended: QEMUError?
    }

    /// QEMU's version, `7.2.22`.
    package var version: String { versionStore.withLock { $0 } }

    private let versionStore = Mutex("")
    private let state = Mutex(State())
    private let greeting = OneShot<Result<String, QEMUError>>()
    private let descriptor: Int32
    /// Orders reads and writes, and keeps both off the cooperative threads.
    private let queue: DispatchQueue
    private let source = Mutex<ReadSource?>(nil)
    private let socket: FilePath

    /// Connects, reads the greeting and negotiates. Returns within `limit`.
    /// - Throws: ``QEMUError/Code/monitorUnreachable`` when nothing listens or another client is being served.
    package static func connect(to socket: FilePath, limit: Duration = .seconds(5)) async throws(QEMUError) -> QMPClient
    {
        let descriptor = try await Blocking.run { () throws(QEMUError) -> Int32 in
            do {
                return try UnixSocket.connect(to: socket)
            } catch {
                throw QEMUError(.monitorUnreachable, "Nothing answers on \(socket).", cause: error)
            }
        }
        let client = QMPClient(descriptor: descriptor, socket: socket)
        do throws(QEMUError) {
            try await client.negotiate(limit: limit)
        } catch {
            client.close()
            throw error
        }
        return client
    }

    private init(descriptor: Int32, socket: FilePath) {
        self.descriptor = descriptor
        self.socket = socket
        queue = DispatchQueue(label: "qmp")
        // The source holds us weakly and goes with us.
        let source = ReadSource(descriptor: descriptor, queue: queue) { [weak self] in self?.readAvailable() }
        self.source.withLock { $0 = source }
    }

    private func negotiate(limit: Duration) async throws(QEMUError) {
        let silence = QEMUError(
            .monitorUnreachable,
            "\(socket) accepts connections but does not greet: another program is connected to it, or QEMU hangs.")
        greeting.set(.failure(silence), after: limit, on: queue)
        let cancelled = QEMUError(.cancelled, "Waiting for \(socket) was cancelled.")
        let version = try await greeting.value(ifCancelled: .failure(cancelled)).get()
        versionStore.withLock { $0 = version }
        _ = try await execute("qmp_capabilities", limit: limit)
    }

    /// Sends a command and waits for its answer.
    /// - Returns: what QEMU returned, `{}` for most commands.
    /// - Throws: ``QEMUError/Code/commandRefused`` with QMP's class, ``QEMUError/Code/timedOut``,
    ///   ``QEMUError/Code/monitorClosed``, ``QEMUError/Code/cancelled``. After the last three it is not known whether
    ///   the command was carried out.
    @discardableResult
    package func execute(
        _ command: String, _ arguments: JSONValue? = nil, limit: Duration = .seconds(10)
    ) async throws(QEMUError) -> JSONValue {
        let answer = OneShot<Answer>()
        let id = try register(answer)
        var request: [String: JSONValue] = ["execute": .string(command), "id": .integer(id)]
        request["arguments"] = arguments
        let bytes = Array((JSONValue.object(request).text + "\n").utf8)
        answer.set(
            .failure(QEMUError(.timedOut, "QEMU did not answer \(command) within \(limit).")), after: limit, on: queue)
        queue.async { [weak self] in self?.write(bytes) }

        let cancelled = QEMUError(.cancelled, "Waiting for the answer to \(command) was cancelled.")
        let result = await answer.value(ifCancelled: .failure(cancelled))
        state.withLock { _ = $0.pending.removeValue(forKey: id) }
        return try result.mapError { error in
            guard error.code == .commandRefused else { return error }
            return QEMUError(
                .commandRefused, "QEMU refused \(command): \(error.message)", qmpClass: error.qmpClass)
        }.get()
    }

    /// Everything that QEMU tells from now on; each caller gets all of it. Ends with the connection.
    package func events() -> AsyncStream<QMPEvent> {
        let (stream, continuation) = AsyncStream.makeStream(of: QMPEvent.self, bufferingPolicy: .bufferingNewest(1024))
        let number: Int? = state.withLock { state in
            guard state.ended == nil else { return nil }
            let number = state.nextSubscriber
            state.nextSubscriber += 1
            state.subscribers[number] = continuation
            return number
        }
        guard let number else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.subscribers.removeValue(forKey: number) }
        }
        return stream
    }

    /// Ends the connection; the machine runs on.
    package func close() {
        end(QEMUError(.monitorClosed, "The control connection to \(socket) was closed."))
    }

    private func register(_ answer: OneShot<Answer>) throws(QEMUError) -> Int64 {
        let result: Result<Int64, QEMUError> = state.withLock { state in
            if let ended = state.ended { return .failure(ended) }
            let id = state.nextID
            state.nextID += 1
            state.pending[id] = answer
            return .success(id)
        }
        return try result.get()
    }

    private func readAvailable() {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0 else {
                return end(QEMUError(.monitorClosed, "QEMU ended the control connection on \(socket)."))
            }
            do throws(QEMUError) {
                let lines = try state.withLock { state throws(QEMUError) in
                    try state.reader.append(buffer[..<count])
                }
                for line in lines { handle(try QMPMessage(line: line)) }
            } catch {
                return end(error)
            }
        }
    }

    private func handle(_ message: QMPMessage) {
        switch message {
        case .greeting(let version):
            greeting.set(.success(version))
        case .returned(let id, let value):
            state.withLock { $0.pending[id] }?.set(.success(value))
        case .refused(let id, let errorClass, let description):
            // Without an id it is about a line that QEMU could not read, which we never send; nobody waits for it.
            guard let id else { return }
            state.withLock { $0.pending[id] }?
                .set(.failure(QEMUError(.commandRefused, description, qmpClass: errorClass)))
        case .event(let event):
            for subscriber in state.withLock({ Array($0.subscribers.values) }) { subscriber.yield(event) }
        }
    }

    /// On `queue`. Commands are small and QEMU reads them at once, so waiting here is short; it is bounded all the same.
    private func write(_ bytes: [UInt8]) {
        guard state.withLock({ $0.ended == nil }) else { return }
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                guard poll(&request, 1, 5_000) == 1 else {
                    return end(QEMUError(.timedOut, "QEMU does not read its control socket \(socket)."))
                }
            } else if errno != EINTR {
                return end(
                    QEMUError(
                        .monitorClosed, "The control connection to \(socket) broke.", cause: Errno(rawValue: errno)))
            }
        }
    }

    private func end(_ error: QEMUError) {
        let (pending, subscribers) = state.withLock { state in
            defer {
                state.pending = [:]
                state.subscribers = [:]
            }
            if state.ended == nil { state.ended = error }
            return (Array(state.pending.values), Array(state.subscribers.values))
        }
        source.withLock { $0 }?.cancel()
        greeting.set(.failure(error))
        for answer in pending { answer.set(.failure(error)) }
        for subscriber in subscribers { subscriber.finish() }
    }
}
