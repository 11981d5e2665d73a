import GRPCCore
import SalvorTransport
import SalvorWire
import Testing

/// The cases of gRPC's own list for implementations that are to understand each other (doc/interop-test-descriptions.md of
/// grpc/grpc), by their names there. Messages are bytes here; their sizes are the list's.
@Suite(.timeLimit(.minutes(3))) struct InteropTests {
    private static let requestSizes = [27182, 8, 1828, 45904]
    private static let responseSizes = [31415, 9, 2653, 58979]
    private static let largeRequest = 271_828
    private static let largeResponse = 314_159

    /// What the list's TestService does. A request's first bytes are the sizes that it asks for, four bytes each.
    private static let service = Service(methods: [
        "EmptyCall": { request, _ in
            StreamingServerResponse { writer in
                for try await _ in request.messages { try await writer.write([]) }
                return [:]
            }
        },
        "UnaryCall": { request, _ in
            StreamingServerResponse(metadata: echoed(request.metadata)) { writer in
                for try await message in request.messages {
                    for size in sizes(message) { try await writer.write(payload(size)) }
                }
                return echoed(request.metadata)
            }
        },
        "StreamingInputCall": { request, _ in
            StreamingServerResponse { writer in
                var total = 0
                for try await message in request.messages { total += message.count }
                try await writer.write(Array("\(total)".utf8))
                return [:]
            }
        },
        "FullDuplexCall": { request, _ in
            StreamingServerResponse(metadata: echoed(request.metadata)) { writer in
                for try await message in request.messages {
                    for size in sizes(message) { try await writer.write(payload(size)) }
                }
                return echoed(request.metadata)
            }
        },
        "Status": { request, _ in
            var text: [UInt8] = []
            for try await message in request.messages { text += message }
            throw RPCError(code: .unknown, message: String(decoding: text, as: UTF8.self))
        },
        "Sleep": { _, _ in
            try await Task.sleep(for: .seconds(3600))
            return StreamingServerResponse(single: ServerResponse(message: []))
        },
    ])

    private static let initialKey = "x-grpc-test-echo-initial"
    private static let trailingKey = "x-grpc-test-echo-trailing-bin"

    private static func echoed(_ metadata: Metadata) -> Metadata {
        var back = Metadata()
        for key in [initialKey, trailingKey] {
            for value in metadata[stringValues: key] where !key.hasSuffix("-bin") { back.addString(value, forKey: key) }
            for value in metadata[binaryValues: key] where key.hasSuffix("-bin") { back.addBinary(value, forKey: key) }
        }
        return back
    }

    private static func asking(_ sizes: [Int], total: Int = 0) -> [UInt8] {
        let head =
            [UInt8(sizes.count)] + sizes.flatMap { size in (0..<4).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) } }
        return head + [UInt8](repeating: 0, count: max(0, total - head.count))
    }

    private static func sizes(_ message: [UInt8]) -> [Int] {
        guard let count = message.first, message.count > 4 * Int(count) else { return [] }
        return (0..<Int(count)).map { index in
            (0..<4).reduce(0) { $0 | Int(message[1 + 4 * index + $1]) << (8 * $1) }
        }
    }

    /// Nothing that compresses well, and the same each time.
    private static func payload(_ size: Int) -> [UInt8] {
        var state = UInt32(truncatingIfNeeded: size &+ 1)
        return (0..<size).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(truncatingIfNeeded: state >> 24)
        }
    }

    @Test func `empty_unary`() async throws {
        try await CallPair.with(Self.service) { pair in
            let answer = try await pair.client.call("EmptyCall")
            #expect(answer == [])
        }
    }

    @Test func `large_unary`() async throws {
        try await CallPair.with(Self.service) { pair in
            let request = Self.asking([Self.largeResponse], total: Self.largeRequest)
            #expect(request.count == Self.largeRequest)
            let answer = try await pair.client.call("UnaryCall", request)
            #expect(answer == Self.payload(Self.largeResponse))
        }
    }

    @Test func `client_streaming`() async throws {
        try await CallPair.with(Self.service) { pair in
            let answers = try await pair.client.stream("StreamingInputCall") { writer in
                for size in Self.requestSizes { try await writer.write(Self.payload(size)) }
            } receive: {
                try await $0.messages.reduce(into: []) { $0.append($1) }
            }
            #expect(answers == [Array("74922".utf8)])
        }
    }

    @Test func `server_streaming`() async throws {
        try await CallPair.with(Self.service) { pair in
            let answers = try await pair.client.stream("FullDuplexCall") { writer in
                try await writer.write(Self.asking(Self.responseSizes))
            } receive: {
                try await $0.messages.reduce(into: []) { $0.append($1) }
            }
            #expect(answers == Self.responseSizes.map(Self.payload))
        }
    }

    @Test func `ping_pong`() async throws {
        try await CallPair.with(Self.service) { pair in
            let turns = AsyncStream<Int>.makeStream()
            turns.continuation.yield(0)
            let answers = try await pair.client.stream("FullDuplexCall") { writer in
                for await turn in turns.stream {
                    try await writer.write(Self.asking([Self.responseSizes[turn]], total: Self.requestSizes[turn]))
                }
            } receive: { response in
                var answers: [[UInt8]] = []
                for try await message in response.messages {
                    answers.append(message)
                    if answers.count == 4 {
                        turns.continuation.finish()
                    } else {
                        turns.continuation.yield(answers.count)
                    }
                }
                return answers
            }
            #expect(answers == Self.responseSizes.map(Self.payload))
        }
    }

    @Test func `empty_stream`() async throws {
        try await CallPair.with(Self.service) { pair in
            let count = try await pair.client.stream("FullDuplexCall") { _ in
            } receive: {
                try await $0.messages.reduce(into: 0) { count, _ in count += 1 }
            }
            #expect(count == 0)
        }
    }

    @Test func `cancel_after_begin`() async throws {
        try await CallPair.with(Self.service) { pair in
            let begun = Observed(false)
            let call = Task {
                try await pair.client.stream("StreamingInputCall") { _ in
                    begun.update { $0 = true }
                    await Self.untilCancelled()
                } receive: {
                    try await $0.messages.reduce(into: []) { $0.append($1) }
                }
            }
            try await begun.wait(for: "the call") { $0 }
            call.cancel()
            let error = try await rpcError { _ = try await call.value }
            #expect(error.code == .cancelled)
            #expect(try await pair.client.call("EmptyCall") == [])
        }
    }

    /// Throws nothing: GRPCCore makes an UNKNOWN of what a writer throws, where that comes before its own cancellation.
    private static func untilCancelled() async {
        do { try await Task.sleep(for: .seconds(3600)) } catch {}
    }

    @Test func `cancel_after_first_response`() async throws {
        try await CallPair.with(Self.service) { pair in
            let first = Observed(false)
            let call = Task {
                try await pair.client.stream("FullDuplexCall") { writer in
                    try await writer.write(Self.asking([31415], total: 27182))
                    await Self.untilCancelled()
                } receive: { response in
                    for try await message in response.messages {
                        #expect(message == Self.payload(31415))
                        first.update { $0 = true }
                    }
                }
            }
            try await first.wait(for: "the first response") { $0 }
            call.cancel()
            let error = try await rpcError { try await call.value }
            #expect(error.code == .cancelled)
            #expect(try await pair.client.call("EmptyCall") == [])
        }
    }

    @Test func `timeout_on_sleeping_server`() async throws {
        try await CallPair.with(Self.service) { pair in
            var options = CallOptions.defaults
            options.timeout = .milliseconds(1)
            let soon = options
            let error = try await rpcError { _ = try await pair.client.call("Sleep", options: soon) }
            #expect(error.code == .deadlineExceeded)
        }
    }

    @Test func `status_code_and_message`() async throws {
        try await CallPair.with(Self.service) { pair in
            let error = try await rpcError {
                _ = try await pair.client.call("Status", Array("test status message".utf8))
            }
            #expect(error.code == .unknown && error.message == "test status message")
        }
    }

    @Test func `special_status_message`() async throws {
        let text = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
        try await CallPair.with(Self.service) { pair in
            let error = try await rpcError { _ = try await pair.client.call("Status", Array(text.utf8)) }
            #expect(error.code == .unknown && error.message == text)
        }
    }

    @Test func `unimplemented_method`() async throws {
        try await CallPair.with(Self.service) { pair in
            let error = try await rpcError { _ = try await pair.client.call("UnimplementedCall") }
            #expect(error.code == .unimplemented)
        }
    }

    @Test func `unimplemented_service`() async throws {
        try await CallPair.with(Self.service) { pair in
            let error = try await rpcError {
                _ = try await pair.client.unary(
                    request: ClientRequest(message: [UInt8]()),
                    descriptor: MethodDescriptor(
                        fullyQualifiedService: "salvor.test.Unimplemented", method: "EmptyCall"),
                    serializer: BytesCoder(), deserializer: BytesCoder(), options: .defaults
                ) { try $0.message }
            }
            #expect(error.code == .unimplemented)
        }
    }

    @Test(arguments: ["UnaryCall", "FullDuplexCall"])
    func `custom_metadata`(method: String) async throws {
        var metadata = Metadata()
        metadata.addString("test_initial_metadata_value", forKey: Self.initialKey)
        metadata.addBinary([0xAB, 0xAB, 0xAB], forKey: Self.trailingKey)
        let sent = metadata
        try await CallPair.with(Self.service) { pair in
            let (initial, trailing) = try await pair.client.stream(method, metadata: sent) { writer in
                try await writer.write(Self.asking([Self.largeResponse], total: Self.largeRequest))
            } receive: { response in
                let initial = response.metadata
                var trailing = Metadata()
                for try await part in try response.accepted.get().bodyParts {
                    if case .trailingMetadata(let metadata) = part { trailing = metadata }
                }
                return (initial, trailing)
            }
            #expect(Array(initial[stringValues: Self.initialKey]) == ["test_initial_metadata_value"])
            #expect(Array(trailing[binaryValues: Self.trailingKey]) == [[0xAB, 0xAB, 0xAB]])
        }
    }

    /// What passes between the ends, in bytes, when 200,000 bytes that compress well go there and back.
    private func passed(_ compression: MessageCompression, _ method: String) async throws -> Proxy.Passed {
        let message = [UInt8](repeating: 0x41, count: 200_000)
        return try await CallPair.with(
            Service(methods: [method: Service.echo]), throughProxy: true, compression: compression
        ) { pair in
            let before = try #require(pair.proxy).passed.value
            let back = try await pair.client.stream(method) {
                try await $0.write(message)
            } receive: {
                try await $0.messages.reduce(into: []) { $0.append($1) }
            }
            #expect(back == [message])
            let after = try #require(pair.proxy).passed.value
            return Proxy.Passed(
                towardsListener: after.towardsListener - before.towardsListener,
                towardsDialler: after.towardsDialler - before.towardsDialler)
        }
    }

    @Test(arguments: ["client_compressed_unary", "server_compressed_unary"])
    func `compressed both ways`(name: String) async throws {
        let passed = try await passed(.worthwhile, name)
        #expect(passed.towardsListener < 20_000 && passed.towardsDialler < 20_000, "\(passed)")
    }

    @Test(arguments: ["client_uncompressed_unary", "server_uncompressed_unary"])
    func `uncompressed both ways`(name: String) async throws {
        let passed = try await passed(.never, name)
        #expect(passed.towardsListener > 200_000 && passed.towardsDialler > 200_000, "\(passed)")
    }

    /// Calls that are cancelled at every moment of their lives, before they begin and after their last message among them:
    /// each handler ends, and no stream stays behind.
    @Test func `cancellation at any moment leaves nothing behind`() async throws {
        let running = Observed(0)
        var limits = Limits.standard
        limits.maxConcurrentStreams = 8
        let service = Service(methods: [
            "Echo": { request, _ in
                // Of a call that is over by then, GRPCCore never asks for the messages.
                StreamingServerResponse { writer in
                    running.update { $0 += 1 }
                    defer { running.update { $0 -= 1 } }
                    for try await message in request.messages { try await writer.write(message) }
                    return [:]
                }
            }
        ])
        try await CallPair.with(service, calleeLimits: limits) { pair in
            await withTaskGroup(of: Void.self) { group in
                for index in 0..<400 {
                    group.addTask {
                        let call = Task {
                            try await pair.client.stream("Echo") { writer in
                                for _ in 0..<3 { try await writer.write([UInt8](repeating: 1, count: 2000)) }
                            } receive: {
                                try await $0.messages.reduce(into: 0) { count, _ in count += 1 }
                            }
                        }
                        if index % 5 > 0 { try? await Task.sleep(for: .microseconds(index * 7 % 3000)) }
                        call.cancel()
                        _ = await call.result
                    }
                    if index % 8 == 7 { await group.next() }
                }
            }
            try await running.wait(for: "the handlers' ends") { $0 == 0 }
            // As many calls as the callee takes at once go through: none of the four hundred holds a place.
            try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<8 { group.addTask { try await pair.client.call("Echo", [1, 2]) } }
                for try await answer in group { #expect(answer == [1, 2]) }
            }
        }
    }
}
