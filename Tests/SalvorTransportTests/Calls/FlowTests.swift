import GRPCCore
import SalvorTransport
import SalvorWire
import Testing

/// How much moves, and how much waits.
@Suite(.timeLimit(.minutes(3))) struct FlowTests {
    static let smallWindows: Limits = {
        var limits = Limits.standard
        limits.initialStreamWindow = 64 << 10
        limits.initialConnectionWindow = 128 << 10
        limits.maxFramePayload = 16 << 10
        limits.maxMessage = 64 << 10
        limits.sendQueueHighWater = 64 << 10
        limits.sendQueueLowWater = 16 << 10
        return limits
    }()

    /// Noise, so that compression has no part in it.
    static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed &* 2_862_933_555_777_941_757 &+ 1
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }

    @Test(arguments: CallPair.Dialler.allCases)
    func `20 MB cross small windows both ways at once, unchanged`(dialler: CallPair.Dialler) async throws {
        let messages = 640
        let message = Self.noise(32 << 10, seed: 1)
        try await CallPair.with(
            Service(methods: ["Echo": Service.echo]), dialler: dialler, callerLimits: Self.smallWindows,
            calleeLimits: Self.smallWindows, compression: .never
        ) { pair in
            let received = try await pair.client.stream("Echo") { writer in
                for number in 0..<messages {
                    var next = message
                    next[0] = UInt8(truncatingIfNeeded: number)
                    next[1] = UInt8(number >> 8)
                    try await writer.write(next)
                }
            } receive: { response in
                var count = 0
                for try await next in response.messages {
                    try #require(next.count == message.count)
                    try #require(Int(next[0]) | Int(next[1]) << 8 == count)
                    try #require(next[2...] == message[2...])
                    count += 1
                }
                return count
            }
            #expect(received == messages)
        }
    }

    @Test func `a reader that stops holds up its own stream alone, and what waits for it is bounded`() async throws {
        let message = Self.noise(16 << 10, seed: 2)
        let written = Observed(0)
        let service = Service(methods: [
            "Echo": Service.echo,
            "Flood": { _, _ in
                StreamingServerResponse { writer in
                    for _ in 0..<1280 {
                        try await writer.write(message)
                        written.update { $0 += message.count }
                    }
                    return [:]
                }
            },
        ])
        var limits = Self.smallWindows
        limits.initialConnectionWindow = 1 << 20
        let callerLimits = limits
        try await CallPair.with(service, callerLimits: callerLimits) { pair in
            let total = try await pair.client.stream("Flood") { _ in
            } receive: { response in
                // Nothing is read yet, while other calls come and go.
                try await written.wait(for: "a full window") { $0 >= 64 << 10 }
                for number in 0..<200 {
                    #expect(try await pair.client.call("Echo", [UInt8(number)]) == [UInt8(number)])
                }
                // Window, send queue, what the writer may be ahead, and the message in hand: nothing near the 20 MB that
                // it wants to send.
                #expect(written.value <= (64 + 1024 + 256 + 64 + 32) << 10)
                var total = 0
                for try await next in response.messages { total += next.count }
                return total
            }
            #expect(total == 1280 * message.count)
        }
    }

    @Test func `a caller that sends more than the handler reads is held up, and others are not`() async throws {
        let message = Self.noise(16 << 10, seed: 3)
        let written = Observed(0)
        let mayRead = Observed(false)
        let service = Service(methods: [
            "Echo": Service.echo,
            "Count": { request, _ in
                try await mayRead.wait(for: "the go-ahead") { $0 }
                var count = 0
                for try await message in request.messages { count += message.count }
                return StreamingServerResponse(single: ServerResponse(message: Array(String(count).utf8)))
            },
        ])
        var limits = Self.smallWindows
        limits.initialConnectionWindow = 1 << 20
        let calleeLimits = limits
        try await CallPair.with(service, calleeLimits: calleeLimits) { pair in
            async let count = pair.client.stream("Count") { writer in
                for _ in 0..<320 {
                    try await writer.write(message)
                    written.update { $0 += message.count }
                }
            } receive: { response in
                var text: [UInt8] = []
                for try await message in response.messages { text = message }
                return String(decoding: text, as: UTF8.self)
            }
            try await written.wait(for: "a full window") { $0 >= 64 << 10 }
            for number in 0..<100 { #expect(try await pair.client.call("Echo", [UInt8(number)]) == [UInt8(number)]) }
            #expect(written.value < 2 << 20)
            mayRead.update { $0 = true }
            #expect(try await count == String(320 * message.count))
        }
    }

    @Test(arguments: [
        (option: nil as CompressionAlgorithm?, transport: MessageCompression.worthwhile, isSmall: true),
        (option: CompressionAlgorithm.none, transport: .worthwhile, isSmall: false),
        (option: CompressionAlgorithm.gzip, transport: .never, isSmall: false),
        (option: nil, transport: .never, isSmall: false),
    ])
    func `messages are compressed when that was chosen, in each direction by its sender`(
        option: CompressionAlgorithm?, transport: MessageCompression, isSmall: Bool
    ) async throws {
        let message = [UInt8](repeating: 65, count: 1 << 20)
        var options = CallOptions.defaults
        options.compression = option
        let callOptions = options
        try await CallPair.with(
            Service(methods: ["Echo": Service.echo]), throughProxy: true, compression: transport
        ) { pair in
            #expect(try await pair.client.call("Echo", message, options: callOptions) == message)
            let passed = try #require(pair.proxy).passed.value
            // The callee dialled: requests travel towards the dialler.
            let requestIsSmall = option == nil ? isSmall : option != CompressionAlgorithm.none
            #expect((passed.towardsDialler < 100_000) == requestIsSmall)
            #expect((passed.towardsListener < 100_000) == (transport == .worthwhile))
        }
    }

    @Test func `a message larger than the peer takes fails its call, not the connection`() async throws {
        try await CallPair.with(
            Service(methods: ["Echo": Service.echo]), callerLimits: Self.smallWindows, calleeLimits: Self.smallWindows
        ) { pair in
            let tooLarge = Self.noise((64 << 10) + 1, seed: 4)
            let error = try await rpcError { _ = try await pair.client.call("Echo", tooLarge) }
            #expect(error.code == .resourceExhausted)
            // Small as it travels, too large as it inflates.
            let bomb = [UInt8](repeating: 0, count: 1 << 20)
            let refused = try await rpcError { _ = try await pair.client.call("Echo", bomb) }
            #expect(refused.code == .resourceExhausted)
            var options = CallOptions.defaults
            options.maxResponseMessageBytes = 10
            let callOptions = options
            let limited = try await rpcError {
                _ = try await pair.client.call("Echo", [UInt8](repeating: 1, count: 11), options: callOptions)
            }
            #expect(limited.code == .resourceExhausted)
            #expect(try await pair.client.call("Echo", [1]) == [1])
        }
    }
}
