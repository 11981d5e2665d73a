import GRPCCore
import SalvorTransport
import SalvorWire
import Testing

/// Deadlines, cancellation, lost connections, drains: calls that end before they are done.
@Suite(.timeLimit(.minutes(3))) struct EndOfCallTests {
    struct Progress: Sendable {
        var started = 0
        var taskCancelled = 0
        var handleCancelled = 0
        var finished = 0
    }

    /// A handler that works until it is told to stop.
    static func hanging(_ progress: Observed<Progress>) -> Handler {
        { request, context in
            progress.update { $0.started += 1 }
            defer { progress.update { $0.finished += 1 } }
            try await withRPCCancellationHandler {
                do {
                    try await Task.sleep(for: .seconds(3600))
                } catch {
                    progress.update { $0.taskCancelled += 1 }
                    throw error
                }
            } onCancelRPC: {
                progress.update { $0.handleCancelled += 1 }
            }
            return StreamingServerResponse(single: ServerResponse(message: []))
        }
    }

    static func expectStopped(_ progress: Observed<Progress>) async throws {
        try await progress.wait(for: "the handler's end") {
            $0.started > 0 && $0.finished == $0.started && $0.taskCancelled == $0.started
                && $0.handleCancelled == $0.started
        }
    }

    @Test(arguments: CallPair.Dialler.allCases)
    func `a deadline that passes ends the call for its caller, and the work of its handler`(dialler: CallPair.Dialler)
        async throws
    {
        let progress = Observed(Progress())
        try await CallPair.with(
            Service(methods: ["Hang": Self.hanging(progress), "Echo": Service.echo]), dialler: dialler
        ) { pair in
            // On a busy machine the deadline may pass before the call is on its way: then there is no handler to stop.
            for timeout in [Duration.milliseconds(200), .seconds(2), .seconds(20)] {
                var options = CallOptions.defaults
                options.timeout = timeout
                let callOptions = options
                let error = try await rpcError { _ = try await pair.client.call("Hang", options: callOptions) }
                #expect(error.code == .deadlineExceeded)
                // Calls are served in order.
                _ = try await pair.client.call("Echo", [2])
                if progress.value.started > 0 { break }
            }
            try await Self.expectStopped(progress)
            #expect(try await pair.client.call("Echo", [1]) == [1])
        }
    }

    @Test func `the callee keeps a deadline by its own clock, although the caller takes no notice of it`() async throws
    {
        let progress = Observed(Progress())
        try await CallPair.with(Service(methods: ["Hang": Self.hanging(progress)])) { pair in
            // Below GRPCCore's client, which would end the call by itself: only the wire knows the deadline here.
            let transport = SalvorClientTransport(pair.caller)
            let error = try await rpcError {
                try await transport.withStream(descriptor: Service.descriptor("Hang"), options: .defaults) {
                    stream, _ in
                    try await stream.outbound.write(.metadata(["grpc-timeout": "100m"]))
                    for try await _ in stream.inbound {}
                }
            }
            #expect(error.code == .deadlineExceeded)
            try await Self.expectStopped(progress)
        }
    }

    @Test func `a send that waits for window ends with the call's deadline`() async throws {
        let progress = Observed(Progress())
        try await CallPair.with(
            Service(methods: ["Hang": Self.hanging(progress)]), callerLimits: FlowTests.smallWindows,
            calleeLimits: FlowTests.smallWindows
        ) { pair in
            let message = FlowTests.noise(32 << 10, seed: 5)
            let transport = SalvorClientTransport(pair.caller)
            let error = try await rpcError {
                try await transport.withStream(descriptor: Service.descriptor("Hang"), options: .defaults) {
                    stream, _ in
                    try await stream.outbound.write(.metadata(["grpc-timeout": "300m"]))
                    while true { try await stream.outbound.write(.message(message)) }
                }
            }
            #expect(error.code == .deadlineExceeded)
        }
    }

    @Test func `a call whose task is cancelled stops the work of its handler`() async throws {
        let progress = Observed(Progress())
        try await CallPair.with(Service(methods: ["Hang": Self.hanging(progress), "Echo": Service.echo])) { pair in
            let call = Task { try await pair.client.call("Hang") }
            try await progress.wait(for: "the handler's start") { $0.started == 1 }
            call.cancel()
            let error = try await rpcError { _ = try await call.value }
            #expect(error.code == .cancelled)
            try await Self.expectStopped(progress)
            #expect(try await pair.client.call("Echo", [1]) == [1])
        }
    }

    @Test func `a response that nobody reads to its end stops the work of its handler`() async throws {
        let stopped = Observed(false)
        let service = Service(methods: [
            "Count": { _, _ in
                StreamingServerResponse { writer in
                    defer { stopped.update { $0 = true } }
                    while true { try await writer.write([1]) }
                }
            }
        ])
        try await CallPair.with(service) { pair in
            try await pair.client.stream("Count") { _ in
            } receive: { response in
                for try await _ in response.messages { break }
            }
            try await stopped.wait(for: "the handler's end") { $0 }
        }
    }

    @Test func `an error in making the request reaches who reads the response, and stops the handler`() async throws {
        let progress = Observed(Progress())
        try await CallPair.with(Service(methods: ["Hang": Self.hanging(progress)])) { pair in
            let error = try await rpcError {
                try await pair.client.stream("Hang") { writer in
                    try await writer.write([1])
                    try await progress.wait(for: "the handler's start") { $0.started == 1 }
                    throw RPCError(code: .dataLoss, message: "the disk is gone")
                } receive: { response in
                    for try await _ in response.messages {}
                }
            }
            #expect(error.code == .dataLoss)
            try await Self.expectStopped(progress)
        }
    }

    @Test(arguments: CallPair.Dialler.allCases)
    func `R-3: a connection that is cut ends its calls as unavailable, and stops their handlers`(
        dialler: CallPair.Dialler
    )
        async throws
    {
        let progress = Observed(Progress())
        try await CallPair.with(
            Service(methods: ["Hang": Self.hanging(progress)]), dialler: dialler, throughProxy: true
        ) { pair in
            let call = Task { try await pair.client.call("Hang") }
            try await progress.wait(for: "the handler's start") { $0.started == 1 }
            try #require(pair.proxy).cut()
            let error = try await rpcError { _ = try await call.value }
            #expect(error.code == .unavailable)
            try await Self.expectStopped(progress)
            #expect(await pair.caller.closed()?.code != nil)
            #expect(await pair.callee.closed()?.code != nil)
            let after = try await rpcError { _ = try await pair.client.call("Hang") }
            #expect(after.code == .unavailable)
        }
    }

    @Test func `R-3: a peer that closes on purpose ends its calls as unavailable`() async throws {
        let progress = Observed(Progress())
        try await CallPair.with(Service(methods: ["Hang": Self.hanging(progress)])) { pair in
            let call = Task { try await pair.client.call("Hang") }
            try await progress.wait(for: "the handler's start") { $0.started == 1 }
            pair.callee.close()
            let error = try await rpcError { _ = try await call.value }
            #expect(error.code == .unavailable)
            try await Self.expectStopped(progress)
            #expect(await pair.callee.closed()?.code == .closed)
        }
    }

    @Test(arguments: CallPair.Dialler.allCases)
    func `a drain lets calls finish, takes no new ones, and closes without an error`(drainer: CallPair.Dialler)
        async throws
    {
        let started = Observed(false)
        let mayFinish = Observed(false)
        let service = Service(methods: [
            "Slow": { request, _ in
                started.update { $0 = true }
                try await mayFinish.wait(for: "the go-ahead") { $0 }
                return StreamingServerResponse(single: ServerResponse(message: [42]))
            }
        ])
        try await CallPair.with(service) { pair in
            let call = Task { try await pair.client.call("Slow") }
            try await started.wait(for: "the handler's start") { $0 }
            switch drainer {
            case .caller: pair.caller.drain()
            case .callee: pair.server.beginGracefulShutdown()
            }
            if drainer == .caller {
                let error = try await rpcError { _ = try await pair.client.call("Slow") }
                #expect(error.code == .unavailable)
            }
            mayFinish.update { $0 = true }
            #expect(try await call.value == [42])
            #expect(await pair.caller.closed()?.code == nil)
            #expect(await pair.callee.closed()?.code == nil)
            let after = try await rpcError { _ = try await pair.client.call("Slow") }
            #expect(after.code == .unavailable)
        }
    }

    @Test(arguments: CallPair.Dialler.allCases)
    func `both sides learn of a connection's end when it comes, not when a timer looks`(dialler: CallPair.Dialler)
        async throws
    {
        var limits = Limits.standard
        limits.prefaceTimeout = .seconds(3600)
        limits.keepAliveInterval = .seconds(3600)
        let patient = limits
        let ended = Observed(0)
        try await CallPair.with(
            Service(methods: ["Echo": Service.echo]), dialler: dialler, callerLimits: patient, calleeLimits: patient
        ) { pair in
            _ = try await pair.client.call("Echo", [1])
            for connection in [pair.caller, pair.callee] {
                Task {
                    _ = await connection.closed()
                    ended.update { $0 += 1 }
                }
            }
        }
        try await ended.wait(for: "both ends") { $0 == 2 }
    }

    @Test func `a status is delivered although its handler is done and its reader is slow`() async throws {
        let message = FlowTests.noise(16 << 10, seed: 6)
        let isDone = Observed(false)
        let service = Service(methods: [
            "Burst": { _, _ in
                StreamingServerResponse { writer in
                    for _ in 0..<6 { try await writer.write(message) }
                    isDone.update { $0 = true }
                    return ["x-end": "yes"]
                }
            }
        ])
        try await CallPair.with(service, callerLimits: FlowTests.smallWindows, calleeLimits: FlowTests.smallWindows) {
            pair in
            let (count, end) = try await pair.client.stream("Burst") { _ in
            } receive: { response in
                // More than a window, so that the status waits behind messages when the handler returns.
                try await isDone.wait(for: "the handler's end") { $0 }
                var count = 0
                var end: [String] = []
                for try await part in try response.accepted.get().bodyParts {
                    switch part {
                    case .message: count += 1
                    case .trailingMetadata(let metadata): end = Array(metadata[stringValues: "x-end"])
                    }
                }
                return (count, end)
            }
            #expect(count == 6)
            #expect(end == ["yes"])
        }
    }
}
