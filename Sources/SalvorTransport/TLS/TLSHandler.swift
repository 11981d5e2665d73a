package import NIOCore

/// TLS 1.3 in a channel's pipeline, by the system's OpenSSL: encrypted towards the socket, plain towards the application.
///
/// - Fires ``TLSHandshake`` as a user inbound event when the handshake is complete. What is written before is kept
///   until then. In TLS 1.3 a client completes before the server has looked at the client's certificate: only what a server
///   sends afterwards proves that it accepted it.
/// - Fires a ``TransportError`` down the pipeline, then closes the channel, when anything is wrong; that includes a
///   connection that ends without the peer's word that it is complete.
/// - Answers the peer's close by closing, unless it was made to allow half-closure: then it fires `ChannelEvent.inputClosed`,
///   and this side may go on sending.
package final class TLSHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private enum State {
        case idle
        case handshaking(TLSSession, timeout: Scheduled<Void>)
        case open(TLSSession, input: Direction, output: Direction)
        /// All is said; the socket closes when the peer has closed, too, or when it takes too long.
        case lingering
        case closed
    }

    private enum Direction { case open, closed }

    private let tls: TLSContext
    private let allowsHalfClosure: Bool
    private var state = State.idle
    private var pending = MarkedCircularBuffer<(ByteBuffer, EventLoopPromise<Void>?)>(initialCapacity: 8)
    private var lingerTimeout: Scheduled<Void>?
    private var closePromise: EventLoopPromise<Void>?
    /// Somebody wants to read, and has not been given anything yet.
    private var isReadWanted = false

    package init(_ tls: TLSContext, allowsHalfClosure: Bool = false) {
        self.tls = tls
        self.allowsHalfClosure = allowsHalfClosure
    }

    // MARK: Life

    package func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    package func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        begin(context)
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        tearDown(failingWrites: ChannelError.ioOnClosedChannel)
        state = .closed
    }

    package func channelInactive(context: ChannelHandlerContext) {
        receiveEnd(context)
        tearDown(failingWrites: ChannelError.ioOnClosedChannel)
        state = .closed
        closePromise?.succeed()
        closePromise = nil
        context.fireChannelInactive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard case .idle = state else { return }
        do throws(TransportError) {
            let session = try TLSSession(tls, allocator: context.channel.allocator)
            let limit = tls.configuration.handshakeTimeout
            let timeout = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limit)) {
                self.fail(
                    context,
                    TransportError(
                        .handshakeTimeout, "the peer did not finish the TLS handshake within \(limit); it was refused"))
            }
            state = .handshaking(session, timeout: timeout)
            proceed(context)
        } catch {
            fail(context, error)
        }
    }

    // MARK: In

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .handshaking(let session, _), .open(let session, .open, _):
            session.receive(unwrapInboundIn(data))
            proceed(context)
        case .idle, .open(_, .closed, _), .lingering, .closed: ()
        }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        switch state {
        // The bytes that were read gave the reader nothing, or nobody reads while the end is waited for.
        case .handshaking, .lingering: context.read()
        case .open where isReadWanted: context.read()
        case .idle, .open, .closed: ()
        }
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed = event as? ChannelEvent {
            receiveEnd(context)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    package func read(context: ChannelHandlerContext) {
        isReadWanted = true
        context.read()
    }

    /// The socket has no more bytes.
    private func receiveEnd(_ context: ChannelHandlerContext) {
        switch state {
        case .handshaking(let session, _), .open(let session, .open, _):
            session.receiveEnd()
            proceed(context)
        case .lingering: finishClosing(context)
        case .idle, .open(_, .closed, _), .closed: ()
        }
    }

    /// Does with the bytes that have arrived whatever can be done.
    private func proceed(_ context: ChannelHandlerContext) {
        do throws(TransportError) {
            if case .handshaking(let session, let timeout) = state {
                let handshake: TLSHandshake?
                do throws(TransportError) { handshake = try session.handshake() } catch {
                    // The alert that tells the peer why.
                    emit(session, context, promise: nil)
                    throw error
                }
                emit(session, context, promise: nil)
                guard let handshake else { return }
                timeout.cancel()
                state = .open(session, input: .open, output: .open)
                context.fireUserInboundEventTriggered(handshake)
                sendPending(context)
            }
            // Whoever is told of something may close the channel, or write to it: look again each time.
            while case .open(let session, .open, let output) = state {
                var plain = session.bufferForReading()
                var result = TLSSession.ReadResult.needsMore
                reading: while plain.writableBytes > 0 {
                    do throws(TransportError) { result = try session.read(into: &plain) } catch {
                        emit(session, context, promise: nil)
                        deliver(plain, context)
                        throw error
                    }
                    guard case .bytes = result else { break reading }
                }
                emit(session, context, promise: nil)
                if case .closed = result { state = .open(session, input: .closed, output: output) }
                deliver(plain, context)
                switch result {
                case .bytes: continue
                case .needsMore: return
                case .closed: inputClosed(context)
                }
            }
        } catch {
            fail(context, error)
        }
    }

    private func deliver(_ plain: ByteBuffer, _ context: ChannelHandlerContext) {
        guard plain.readableBytes > 0 else { return }
        isReadWanted = false
        context.fireChannelRead(wrapInboundOut(plain))
    }

    private func inputClosed(_ context: ChannelHandlerContext) {
        guard case .open(_, .closed, let output) = state else { return }
        if allowsHalfClosure {
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
        if !allowsHalfClosure || output == .closed { close(context: context, mode: .all, promise: nil) }
    }

    // MARK: Out

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch state {
        case .idle, .handshaking, .open(_, _, .open): pending.append((unwrapOutboundIn(data), promise))
        case .open(_, _, .closed): promise?.fail(ChannelError.outputClosed)
        case .lingering, .closed: promise?.fail(ChannelError.ioOnClosedChannel)
        }
    }

    package func flush(context: ChannelHandlerContext) {
        pending.mark()
        sendPending(context)
    }

    private func sendPending(_ context: ChannelHandlerContext) {
        guard case .open(let session, _, .open) = state, pending.hasMark else { return }
        var promises: [EventLoopPromise<Void>] = []
        do throws(TransportError) {
            while pending.hasMark, let (buffer, promise) = pending.popFirst() {
                if let promise { promises.append(promise) }
                try encrypt(buffer, session)
            }
        } catch {
            for promise in promises { promise.fail(error) }
            fail(context, error)
            return
        }
        emit(session, context, promise: joined(promises, context))
    }

    private func encrypt(_ buffer: ByteBuffer, _ session: TLSSession) throws(TransportError) {
        var failure: TransportError?
        buffer.withUnsafeReadableBytes { bytes in
            do throws(TransportError) { try session.write(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func joined(_ promises: [EventLoopPromise<Void>], _ context: ChannelHandlerContext) -> EventLoopPromise<
        Void
    >? {
        guard promises.count > 1 else { return promises.first }
        let all = context.eventLoop.makePromise(of: Void.self)
        for promise in promises { all.futureResult.cascade(to: promise) }
        return all
    }

    private func emit(_ session: TLSSession, _ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        let buffers = session.takeOutbound()
        guard let last = buffers.last else {
            promise?.succeed()
            return
        }
        for buffer in buffers.dropLast() { context.write(wrapOutboundOut(buffer), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(last), promise: promise)
    }

    package func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?)
    {
        guard event is TLSKeyUpdate else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        guard case .open(let session, _, .open) = state else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        session.updateKeys()
        promise?.succeed()
    }

    // MARK: Closing

    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch (mode, state) {
        case (.input, _), (_, .idle), (_, .closed):
            context.close(mode: mode, promise: promise)
        case (.output, .open(let session, let input, .open)):
            failPending(ChannelError.outputClosed)
            session.close()
            state = .open(session, input: input, output: .closed)
            let sent = context.eventLoop.makePromise(of: Void.self)
            emit(session, context, promise: sent)
            sent.futureResult.assumeIsolated().whenComplete { _ in context.close(mode: .output, promise: promise) }
        case (.output, _):
            promise?.fail(ChannelError.outputClosed)
        case (_, .handshaking):
            // There is no orderly close before the handshake's end.
            tearDown(failingWrites: ChannelError.ioOnClosedChannel)
            state = .closed
            context.close(mode: .all, promise: promise)
        case (_, .open(let session, let input, let output)):
            if output == .open {
                failPending(ChannelError.ioOnClosedChannel)
                session.close()
            }
            remember(closePromise: promise)
            linger(session, context, untilPeerCloses: input == .open)
        case (_, .lingering):
            remember(closePromise: promise)
        }
    }

    private func fail(_ context: ChannelHandlerContext, _ error: TransportError) {
        let session: TLSSession
        switch state {
        case .handshaking(let current, let timeout):
            timeout.cancel()
            session = current
        case .open(let current, _, _): session = current
        case .idle:
            state = .closed
            context.fireErrorCaught(error)
            context.close(mode: .all, promise: nil)
            return
        case .lingering, .closed: return
        }
        failPending(error)
        linger(session, context, untilPeerCloses: true)
        context.fireErrorCaught(error)
    }

    /// Sends what is left, then waits for the peer's end before the socket is closed: to close a socket that has unread
    /// bytes resets the connection, and that can destroy what was sent last, such as the alert that says why.
    private func linger(_ session: TLSSession, _ context: ChannelHandlerContext, untilPeerCloses: Bool) {
        state = .lingering
        lingerTimeout = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(tls.configuration.closeTimeout))
        {
            self.finishClosing(context)
        }
        let sent = context.eventLoop.makePromise(of: Void.self)
        emit(session, context, promise: sent)
        sent.futureResult.assumeIsolated().whenComplete { result in
            guard case .lingering = self.state else { return }
            if untilPeerCloses, case .success = result {
                context.close(mode: .output, promise: nil)
                context.read()
            } else {
                self.finishClosing(context)
            }
        }
    }

    private func finishClosing(_ context: ChannelHandlerContext) {
        guard case .lingering = state else { return }
        tearDown(failingWrites: ChannelError.ioOnClosedChannel)
        state = .closed
        let promise = closePromise
        closePromise = nil
        context.close(mode: .all, promise: promise)
    }

    private func remember(closePromise promise: EventLoopPromise<Void>?) {
        guard let promise else { return }
        if let closePromise { closePromise.futureResult.cascade(to: promise) } else { closePromise = promise }
    }

    private func failPending(_ error: any Error) {
        while let (_, promise) = pending.popFirst() { promise?.fail(error) }
    }

    private func tearDown(failingWrites error: any Error) {
        if case .handshaking(_, let timeout) = state { timeout.cancel() }
        lingerTimeout?.cancel()
        lingerTimeout = nil
        failPending(error)
    }
}

/// It belongs to one channel's event loop.
@available(*, unavailable)
extension TLSHandler: Sendable {}
