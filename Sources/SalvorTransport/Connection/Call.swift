internal import GRPCCore
internal import NIOCore
internal import SalvorWire
internal import Synchronization

/// One call on a connection, from the side of the tasks that make or serve it.
final class Call: Sendable {
    private struct State {
        /// Its stream is open, or is going to be when the peer takes one more.
        var isBegun: Bool
        var stream: StreamID?
        /// Why it never got a stream.
        var openingFailure: RPCError?
        var closure: StreamClosure?
        var onClosed: [@Sendable (StreamClosure) -> Void] = []
        var hasEnded = false
        /// Cost of the messages that were read and whose window has not been given back, and how many they are.
        var unreturned = Unread()
    }

    let connection: ConnectionCore
    let inbound = CallInbound()
    let outbox: CallOutbox
    private let state: Mutex<State>

    init(on connection: ConnectionCore, stream: StreamID? = nil) {
        self.connection = connection
        outbox = CallOutbox(room: connection.roomForWriters, maxMessage: connection.maxPeerMessage)
        state = Mutex(State(isBegun: stream != nil, stream: stream))
    }

    var stream: StreamID? { state.withLock { $0.stream } }

    /// How the stream ended; nil while it has not.
    var closure: StreamClosure? { state.withLock { $0.closure } }

    /// Called on the event loop, when a caller's stream is open.
    func opened(as stream: StreamID) { state.withLock { $0.stream = stream } }

    /// Called on the event loop, when a caller's stream cannot be opened.
    func failed(toOpen error: RPCError) {
        state.withLock { $0.openingFailure = error }
        outbox.fail(WireError(.streamClosed, "the call could not be begun: nothing can be sent on it"))
        inbound.finish(throwing: error)
    }

    /// Calls `body` when the stream has ended, which may be now.
    func whenClosed(_ body: @escaping @Sendable (StreamClosure) -> Void) {
        let closure = state.withLock { state in
            if state.closure == nil { state.onClosed.append(body) }
            return state.closure
        }
        if let closure { body(closure) }
    }

    /// Called on the event loop, once.
    func closed(_ closure: StreamClosure) {
        let onClosed = state.withLock { state in
            state.closure = closure
            defer { state.onClosed = [] }
            return state.onClosed
        }
        // What arrived before the connection broke may be all that is ever known of the call; after a reset nobody wants it.
        switch closure {
        case .finished, .refused, .connectionLost: ()
        case .resetLocally, .resetByPeer, .deadlineExceeded: inbound.dropUnread()
        }
        inbound.finish(throwing: RPCError(closure))
        for body in onClosed { body(closure) }
    }

    // MARK: Reading

    /// Bytes of a message, and its window given back.
    /// - Parameter limit: of bytes after inflating; the connection's own holds in any case.
    func take(_ message: Message, cost: Int, limit: Int) throws -> [UInt8] {
        let due = state.withLock { state -> Unread in
            state.unreturned.add(cost)
            guard
                state.unreturned.cost >= connection.costWorthReturning
                    || state.unreturned.messages >= Self.messagesWorthReturning
            else { return Unread() }
            defer { state.unreturned = Unread() }
            return state.unreturned
        }
        giveBack(due)
        let limit = min(limit, connection.maxMessage)
        guard message.encoding != .identity else {
            guard message.bytes.count <= limit else {
                reset(.tooLarge)
                throw RPCError(
                    code: .resourceExhausted,
                    message: "a message of \(message.bytes.count) bytes is larger than \(limit)")
            }
            return message.bytes
        }
        do throws(WireError) {
            var inflater = Inflater()
            return try inflater.bytes(of: message, limit: limit)
        } catch {
            reset(error.code == .tooLarge ? .tooLarge : .compression)
            throw RPCError(error)
        }
    }

    private static let messagesWorthReturning = 256

    private func giveBack(_ due: Unread) {
        guard due.cost > 0, let stream else { return }
        connection.perform { $0.consumed(due, on: stream) }
    }

    // MARK: Writing

    /// Caller: begins the call, now or when the peer takes one more. Whoever reads the response learns if it cannot be begun.
    func open(_ path: String, _ metadata: WireMetadata, deadline: NIODeadline?) {
        state.withLock { $0.isBegun = true }
        connection.perform { $0.open(path, metadata, deadline: deadline, for: self) }
    }

    /// Waits until there is room for the message, not until it is sent.
    func send(_ message: Message) async throws {
        let ticket = try say { () throws(WireError) in try outbox.put(message) }
        if let ticket { try await settled(ticket) }
    }

    func send(headers: WireMetadata) async throws {
        // Those that say nothing cannot be too large.
        let ticket = headers.entries.isEmpty ? nil : Ticket<Void>()
        try say(.headers(headers, ticket))
        if let ticket { try await settled(ticket) }
    }

    /// From here on the call ends by itself: they may wait behind messages that wait for window.
    func send(trailers: Trailers) throws {
        state.withLock { $0.hasEnded = true }
        try say(.trailers(trailers))
    }

    /// A stream that has ended meanwhile needs no half-close.
    func halfClose() { try? say(.halfClose) }

    private func say(_ entry: CallOutbox.Entry) throws(RPCError) {
        try say { () throws(WireError) in (ticket: nil, needsFlush: try outbox.put(entry)) }
    }

    @discardableResult
    private func say(
        _ put: () throws(WireError) -> (ticket: Ticket<Void>?, needsFlush: Bool)
    ) throws(RPCError) -> Ticket<Void>? {
        guard state.withLock({ $0.isBegun }) else {
            throw RPCError(code: .internalError, message: "a call begins with metadata: nothing can be sent before it")
        }
        do throws(WireError) {
            let (ticket, needsFlush) = try put()
            if needsFlush { connection.perform { $0.flush(self) } }
            return ticket
        } catch {
            throw rpcError(error)
        }
    }

    /// Ends the stream at once, unless it has ended, or is about to end with a status.
    func reset(_ code: ErrorCode) {
        guard state.withLock({ $0.closure == nil && !$0.hasEnded && $0.isBegun }) else { return }
        connection.perform { $0.reset(self, code) }
    }

    /// Nobody is interested in the call any more: what it holds is let go.
    func end(_ code: ErrorCode) {
        var left = state.withLock { state in
            defer { state.unreturned = Unread() }
            return state.unreturned
        }
        left.add(inbound.discard())
        // The window of a stream that is gone is gone with it.
        if closure == nil { giveBack(left) }
        reset(code)
    }

    private func settled(_ ticket: Ticket<Void>) async throws {
        do {
            try await ticket.value()
        } catch let error as WireError {
            throw rpcError(error)
        } catch is CancellationError {
            throw RPCError(code: .cancelled, message: "the task that writes to the call was cancelled")
        }
    }

    /// How the stream ended says more than that it has ended.
    private func rpcError(_ error: WireError) -> RPCError {
        let (closure, openingFailure) = state.withLock { ($0.closure, $0.openingFailure) }
        return closure.flatMap { RPCError($0) } ?? openingFailure ?? RPCError(error)
    }
}
