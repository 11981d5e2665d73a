internal import GRPCCore
internal import NIOCore
internal import SalvorWire

/// Drives the wire's state machine on a channel: bytes in and out, time from the event loop. Everything in it happens
/// on that event loop.
///
/// Back-pressure: MESSAGE frames leave the machine only while the channel is writable, so that a peer that does not
/// read is owed no more than a socket buffer and what its windows allow. Reading never stops: windows bound what the
/// peer sends, and two sides that stopped reading to wait for each other's reading would wait for ever.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A call that the peer has opened.
    struct Incoming: Sendable {
        let headers: RequestHeaders
        let call: Call
    }

    private enum State {
        case running
        /// The machine has said its last; the channel closes once that is written.
        case closing
        case closed
    }

    private struct OpenCall {
        let call: Call
        /// The machine takes no more messages of it for now.
        var isFull = false
        /// Whether a message has been sent on it.
        var hasSent = false
    }

    private struct Opening {
        let path: String
        let metadata: WireMetadata
        let deadline: NIODeadline?
        let call: Call
    }

    let incoming: AsyncStream<Incoming>
    /// Fulfilled when the peer's SETTINGS have arrived; fails when the connection ends before.
    let ready: EventLoopPromise<Void>
    /// Fulfilled when the channel is closed: with the reason, or nil for an end that both sides meant.
    let ended: EventLoopPromise<TransportError?>

    private var machine: ConnectionMachine
    private let lifetime: Duration?
    private let incomingContinuation: AsyncStream<Incoming>.Continuation
    private var state = State.running
    private var context: ChannelHandlerContext?
    private var calls: [StreamID: OpenCall] = [:]
    private var openings: CircularBuffer<Opening> = []
    private var pings: [Ticket<Duration>] = []
    private var timer: (task: Scheduled<Void>, due: Instant)?
    private var lifetimeTimer: Scheduled<Void>?
    private var heldStart: Scheduled<Void>?
    private var reason: TransportError?
    private var hasDrained = false
    private var isPumping = false
    /// More may have been read already than was given to the machine.
    private var isReading = false
    /// Calls for which something has come that their tasks have not been told of.
    private var unread: [Call] = []
    private var isFinishing = false

    /// - Parameter lifetime: the connection is given up after this; nil for no limit.
    init(role: Role, limits: Limits, lifetime: Duration?, on eventLoop: any EventLoop) throws(WireError) {
        machine = try ConnectionMachine(role: role, limits: limits, now: Self.now)
        self.lifetime = lifetime
        ready = eventLoop.makePromise()
        ended = eventLoop.makePromise()
        (incoming, incomingContinuation) = AsyncStream.makeStream()
    }

    var limits: Limits { machine.limits }
    /// What the peer has announced; defaults before ``ready``.
    var peerSettings: PeerSettings { machine.peerSettings }

    private static var now: Instant { Instant(nanoseconds: NIODeadline.now().uptimeNanoseconds) }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if let lifetime {
            lifetimeTimer = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(lifetime)) {
                self.abort(
                    .timeout,
                    TransportError(.closed, "the connection was closed after \(lifetime), the longest that it may last")
                )
            }
        }
        pump()
    }

    func handlerRemoved(context: ChannelHandlerContext) { finish() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .running = state else { return }
        let buffer = unwrapInboundIn(data)
        isReading = true
        machine.receive(buffer.readableBytesSpan, now: Self.now)
        pump()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        wakeReaders()
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        pump()
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if reason == nil, !hasDrained, case .running = state {
            reason = error as? TransportError ?? TransportError(.connectionLost, "the connection broke", cause: error)
        }
        context.close(promise: nil)
    }

    /// With a TLS close before it or without: SPEC.md R-3.
    func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    /// The channel is gone.
    private func finish() {
        guard !isFinishing else { return }
        isFinishing = true
        isReading = false
        machine.transportClosed()
        // Inside the pump, when a write has found the channel broken, the end comes at the end of the pump.
        pump()
    }

    private func endAll() {
        state = .closed
        timer?.task.cancel()
        timer = nil
        lifetimeTimer?.cancel()
        heldStart?.cancel()
        context = nil
        incomingContinuation.finish()
        let ending = hasDrained ? nil : reason ?? TransportError(.connectionLost, "the peer closed the connection")
        let error = ending ?? TransportError(.closed, "the connection was drained")
        for opening in openings { opening.call.failed(toOpen: RPCError(error)) }
        openings.removeAll()
        for ping in pings { ping.settle(.failure(error)) }
        pings = []
        ready.fail(error)
        ended.succeed(ending)
    }

    // MARK: The machine

    /// Takes from the machine whatever it has, until it has nothing.
    private func pump() {
        // What an event sets off may call back in here: the loop below sees to it.
        guard !isPumping, state != .closed else { return }
        isPumping = true
        repeat {
            while let event = machine.nextEvent() { handle(event) }
        } while write()
        setTimer()
        isPumping = false
        if !isReading { wakeReaders() }
        // To close the channel may come back in here at once, through `finish`.
        if isFinishing {
            endAll()
        } else if state == .closing, !machine.hasOutbound {
            context?.close(promise: nil)
        }
    }

    /// - Returns: whether something was written, which may have made room that an event tells of.
    private func write() -> Bool {
        guard let context, context.channel.isActive else { return false }
        var hasWritten = false
        // The last words are few, and go out whether or not the socket takes them at once.
        while state == .closing || context.channel.isWritable, machine.hasOutbound {
            let size = min(machine.expectedOutbound, TLSSession.pieceByteCount)
            var buffer = context.channel.allocator.buffer(capacity: size)
            // A buffer's capacity is rounded up to more than becomes one piece.
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) {
                machine.writeOutbound(
                    into: UnsafeMutableRawBufferPointer(rebasing: $0.prefix(TLSSession.pieceByteCount)))
            }
            guard buffer.readableBytes > 0 else { break }
            hasWritten = true
            // Flushed at once: the channel's writability knows only of what is flushed.
            context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        }
        return hasWritten
    }

    /// Together, for all that was read at once: to wake a task costs more than to read a message.
    private func wakeReaders() {
        guard !unread.isEmpty else { return }
        let calls = unread
        unread.removeAll(keepingCapacity: true)
        for call in calls { call.inbound.wakeReader() }
    }

    /// - Returns: false when nobody will read it.
    @discardableResult
    private func give(_ item: CallInbound.Item, to id: StreamID) -> Bool {
        guard let call = calls[id]?.call else { return false }
        let (isTaken, isReaderAsleep) = call.inbound.yield(item)
        if isReaderAsleep { unread.append(call) }
        return isTaken
    }

    private func setTimer() {
        guard let context, let due = machine.nextDeadline else { return }
        // One that fires early does no harm, and is cheaper than a new one for every change.
        if let timer, timer.due <= due { return }
        timer?.task.cancel()
        let task = context.eventLoop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(due.nanoseconds)) {
            self.timer = nil
            self.machine.timerFired(now: Self.now)
            self.pump()
        }
        timer = (task, due)
    }

    /// Lets a message wait for what most often follows at once: an answer's headers and message for its trailers, a request's
    /// message for its end. They go out as one record then, and what other calls send takes them along.
    /// It is not only fewer packets: where a relay on the way does not turn off Nagle's algorithm (QEMU's user-mode network),
    /// each small packet after the first waits 40 ms for an acknowledgement.
    private func pumpSoon() {
        guard let context, heldStart == nil else { return }
        heldStart = context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(2)) {
            self.heldStart = nil
            self.pump()
        }
    }

    private func handle(_ event: Event) {
        switch event {
        case .ready: ready.succeed()
        case .streamOpened(let id, let headers): accept(id, headers)
        case .headersReceived(let id, let metadata): give(.metadata(Metadata(metadata)), to: id)
        case .messageReceived(let id, let message, let cost):
            if !give(.message(message, cost: cost), to: id) { machine.consumed(cost, on: id) }
        case .halfClosed(let id): calls[id]?.call.inbound.finish()
        case .trailersReceived(let id, let trailers):
            give(.status(Status(trailers), Metadata(trailers.metadata)), to: id)
        case .streamClosed(let id, let closure): close(id, closure)
        case .writable(let id):
            calls[id]?.isFull = false
            sendSaid(on: id)
        case .streamsAvailable: openWaiting()
        case .goingAway: ()
        case .pingAnswered(let nanoseconds):
            if !pings.isEmpty { pings.removeFirst().settle(.success(.nanoseconds(Int64(clamping: nanoseconds)))) }
        case .drained:
            hasDrained = true
            state = .closing
        case .connectionFailed(let error):
            if !hasDrained, reason == nil { reason = TransportError(error) }
            state = .closing
        }
    }

    private func accept(_ id: StreamID, _ headers: RequestHeaders) {
        guard let context else { return }
        let call = Call(on: ConnectionCore(self, eventLoop: context.eventLoop), stream: id)
        calls[id] = OpenCall(call: call)
        incomingContinuation.yield(Incoming(headers: headers, call: call))
    }

    private func close(_ id: StreamID, _ closure: StreamClosure) {
        guard let open = calls.removeValue(forKey: id) else { return }
        open.call.closed(closure)
        open.call.outbox.fail(WireError(.streamClosed, "the call has ended: nothing more can be sent on it"))
    }

    // MARK: Calls

    /// Opens a call now, or when the peer takes one more.
    func open(_ path: String, _ metadata: WireMetadata, deadline: NIODeadline?, for call: Call) {
        guard state == .running else {
            call.failed(toOpen: RPCError(reason ?? TransportError(.connectionLost, "the connection is closed")))
            return
        }
        let opening = Opening(path: path, metadata: metadata, deadline: deadline, call: call)
        // First come, first served.
        guard openings.isEmpty, tryToOpen(opening) else { return openings.append(opening) }
        pumpSoon()
    }

    private func openWaiting() {
        while let opening = openings.first {
            guard tryToOpen(opening) else { return }
            openings.removeFirst()
            if let id = opening.call.stream { sendSaid(on: id) }
        }
    }

    /// - Returns: false when it has to wait for a place.
    private func tryToOpen(_ opening: Opening) -> Bool {
        let left = opening.deadline.map { deadline in max(0, (deadline - NIODeadline.now()).nanoseconds) }
        let headers = RequestHeaders(
            path: opening.path, timeoutNanoseconds: left.map { UInt64($0) }, metadata: opening.metadata)
        do throws(WireError) {
            let id = try machine.openStream(headers, now: Self.now)
            opening.call.opened(as: id)
            calls[id] = OpenCall(call: opening.call)
        } catch {
            // Both end with `streamsAvailable`.
            if error.code == .streamLimit || error.code == .sendQueueFull { return false }
            opening.call.failed(toOpen: RPCError(error))
        }
        return true
    }

    /// Takes what the call's task has said.
    func flush(_ call: Call) {
        // One that waits for its place says it when it has one.
        guard let id = call.stream else { return }
        if sendSaid(on: id) { pump() } else { pumpSoon() }
    }

    /// - Returns: whether some of it is not to wait for what most often follows.
    @discardableResult
    private func sendSaid(on id: StreamID) -> Bool {
        var isUrgent = false
        while let open = calls[id], !open.isFull, let entry = open.call.outbox.take() {
            do throws(WireError) {
                if try send(entry, on: id) { isUrgent = true }
                entry.ticket?.settle(.success(()))
            } catch {
                // Who waits is told, and the call may go on; otherwise it has lost a part and cannot.
                guard entry.ticket?.settle(.failure(error)) != true else { continue }
                machine.reset(id, .internalFailure)
                open.call.outbox.fail(error)
                isUrgent = true
            }
        }
        return isUrgent
    }

    private func send(_ entry: CallOutbox.Entry, on id: StreamID) throws(WireError) -> Bool {
        switch entry {
        case .headers(let metadata, _):
            try machine.sendHeaders(metadata, on: id)
            // Those that say something may be waited for.
            return !metadata.entries.isEmpty
        case .message(let message, _):
            let mayBeWhole = calls[id]?.hasSent == false
            let isFull = try !machine.sendMessage(message, on: id)
            calls[id]?.hasSent = true
            calls[id]?.isFull = isFull
            return !mayBeWhole || isFull
        case .halfClose:
            try machine.halfClose(id)
            return true
        case .trailers(let trailers):
            try send(trailers, on: id)
            return true
        }
    }

    private func send(_ trailers: Trailers, on id: StreamID) throws(WireError) {
        do throws(WireError) {
            try machine.sendTrailers(trailers, on: id)
        } catch {
            guard error.code == .tooLarge || error.code == .invalidHeaders else { throw error }
            // The code matters most: it goes out even if what was said beside it cannot.
            try machine.sendTrailers(
                Trailers(
                    code: trailers.code,
                    message: "(the callee's message and metadata cannot be carried: \(error.message))"),
                on: id)
        }
    }

    func reset(_ call: Call, _ code: ErrorCode) {
        if let id = call.stream {
            machine.reset(id, code)
            pump()
        } else if let index = openings.firstIndex(where: { $0.call === call }) {
            openings.remove(at: index)
            call.failed(toOpen: RPCError(code: .cancelled, message: "the call was given up before it was begun"))
        }
    }

    func consumed(_ taken: Unread, on id: StreamID) {
        machine.consumed(taken.cost, messages: taken.messages, on: id)
        pump()
    }

    // MARK: The connection

    func ping(_ ticket: Ticket<Duration>) {
        guard state == .running else {
            ticket.settle(.failure(reason ?? TransportError(.connectionLost, "the connection is closed")))
            return
        }
        pings.append(ticket)
        machine.ping(now: Self.now)
        pump()
    }

    func drain() {
        guard state == .running else { return }
        machine.drain(now: Self.now)
        pump()
    }

    func abort(_ code: ErrorCode, _ error: TransportError) {
        guard state == .running else { return }
        reason = reason ?? error
        machine.abort(code, error.message)
        pump()
    }
}

/// It belongs to one channel's event loop.
@available(*, unavailable)
extension ConnectionHandler: Sendable {}
