import GRPCCore
import SalvorTransport
import SalvorWire
import Testing

@Suite(.timeLimit(.minutes(3))) struct CallShapeTests {
    @Test(arguments: CallPair.Dialler.allCases)
    func `R-1: calls of all four shapes work, whoever dialled`(dialler: CallPair.Dialler) async throws {
        var service = Service(methods: ["Echo": Service.echo])
        service.methods["Join"] = { request, _ in
            var all: [UInt8] = []
            for try await message in request.messages { all += message }
            return StreamingServerResponse(single: ServerResponse(message: all))
        }
        service.methods["Split"] = { request, _ in
            StreamingServerResponse { writer in
                for try await message in request.messages {
                    for byte in message { try await writer.write([byte]) }
                }
                return [:]
            }
        }
        try await CallPair.with(service, dialler: dialler) { pair in
            #expect(try await pair.client.call("Echo", [1, 2, 3]) == [1, 2, 3])
            #expect(try await pair.client.call("Echo", []) == [])

            let joined = try await pair.client.stream("Join") { writer in
                for byte in UInt8(0)..<200 { try await writer.write([byte]) }
            } receive: { response in
                try await response.messages.reduce(into: []) { $0.append($1) }
            }
            #expect(joined == [Array(0..<200)])

            let split = try await pair.client.stream("Split") {
                try await $0.write([5, 6, 7])
            } receive: { response in
                try await response.messages.reduce(into: []) { $0.append($1) }
            }
            #expect(split == [[5], [6], [7]])

            // A conversation: each message is sent when the one before has come back.
            let turns = AsyncStream<UInt8>.makeStream()
            turns.continuation.yield(0)
            let last = try await pair.client.stream("Echo") { writer in
                for await turn in turns.stream { try await writer.write([turn]) }
            } receive: { response in
                var last: UInt8 = 0
                for try await message in response.messages {
                    last = message[0]
                    if last == 50 { turns.continuation.finish() } else { turns.continuation.yield(last + 1) }
                }
                return last
            }
            #expect(last == 50)
        }
    }

    @Test(arguments: CallPair.Dialler.allCases)
    func `each side knows who the other is`(dialler: CallPair.Dialler) async throws {
        let seen = Observed<PeerIdentity?>(nil)
        let service = Service(methods: [
            "Who": { _, context in
                seen.update { $0 = (context.transportSpecific as? SalvorServerContext)?.peer }
                return StreamingServerResponse(single: ServerResponse(message: Array(context.remotePeer.utf8)))
            }
        ])
        try await CallPair.with(service, dialler: dialler) { pair in
            let address = String(decoding: try await pair.client.call("Who"), as: UTF8.self)
            #expect(address.hasPrefix("ipv4:127.0.0.1:"))
            #expect(seen.value == .coordinator(run: "run-1"))
            #expect(pair.callee.peer == .coordinator(run: "run-1"))
            #expect(pair.caller.peer == .host(run: "run-1", host: "rescue-1"))
            #expect(!pair.caller.isEnrolment && !pair.callee.isEnrolment)
            #expect(try await pair.caller.ping() > .zero)
            #expect(try await pair.callee.ping() > .zero)
        }
    }

    @Test func `metadata crosses both ways, text and binary, repeated keys in order, and keeps the deadline to itself`()
        async throws
    {
        let metadata: Metadata = [
            "x-text": "plain ASCII ~", "X-Upper": "case", "x-many": "1", "x-many": "2", "x-bytes-bin": [0, 255, 10, 0],
            "x-base64-bin": "AQID",
        ]
        try await CallPair.with(Service(methods: ["Echo": Service.echo])) { pair in
            var options = CallOptions.defaults
            options.timeout = .seconds(60)
            let (initial, trailing) = try await pair.client.stream("Echo", metadata: metadata, options: options) { _ in
            } receive: { response in
                let contents = try response.accepted.get()
                var trailing: Metadata = [:]
                for try await part in contents.bodyParts {
                    if case .trailingMetadata(let metadata) = part { trailing = metadata }
                }
                return (contents.metadata, trailing)
            }
            for received in [initial, trailing] {
                #expect(Array(received[stringValues: "x-text"]) == ["plain ASCII ~"])
                #expect(Array(received[stringValues: "x-upper"]) == ["case"])
                #expect(Array(received[stringValues: "x-many"]) == ["1", "2"])
                #expect(Array(received[binaryValues: "x-bytes-bin"]) == [[0, 255, 10, 0]])
                #expect(Array(received[binaryValues: "x-base64-bin"]) == [[1, 2, 3]])
                #expect(Array(received["grpc-timeout"]).isEmpty)
            }
        }
    }

    @Test func `metadata that the wire cannot carry fails its call alone`() async throws {
        try await CallPair.with(Service(methods: ["Echo": Service.echo])) { pair in
            for metadata: Metadata in [["x-umlaut": "ä"], ["x y": "space"], ["x-bin": "not base64!"]] {
                _ = try await rpcError { _ = try await pair.client.call("Echo", metadata: metadata) }
            }
            #expect(try await pair.client.call("Echo", [1]) == [1])
        }
    }

    @Test func `every status code of gRPC crosses unchanged, with its message and metadata`() async throws {
        let service = Service(methods: [
            "Fail": { request, _ in
                var code = 0
                for try await message in request.messages { code = Int(message[0]) }
                guard let code = Status.Code(rawValue: code).flatMap(RPCError.Code.init) else {
                    return StreamingServerResponse(single: ServerResponse(message: []))
                }
                throw RPCError(code: code, message: "because: \(code) ü", metadata: ["x-detail": "d"])
            },
            "FailLate": { request, _ in
                StreamingServerResponse { writer in
                    for try await message in request.messages {
                        try await writer.write(message)
                        throw RPCError(
                            code: RPCError.Code(Status.Code(rawValue: Int(message[0]))!)!, message: "late",
                            metadata: ["x-detail": "d"])
                    }
                    return [:]
                }
            },
        ])
        try await CallPair.with(service) { pair in
            #expect(try await pair.client.call("Fail", [0]) == [])
            for number in UInt8(1)...16 {
                let error = try await rpcError { _ = try await pair.client.call("Fail", [number]) }
                #expect(error.code.rawValue == Int(number))
                #expect(error.message == "because: \(error.code) ü")
                #expect(Array(error.metadata[stringValues: "x-detail"]) == ["d"])
                let late = try await rpcError { _ = try await pair.client.call("FailLate", [number]) }
                #expect(late.code.rawValue == Int(number))
            }
            let unknown = try await rpcError { _ = try await pair.client.call("NoSuchMethod") }
            #expect(unknown.code == .unimplemented)
        }
    }

    @Test func `a status whose message is too long for the wire still arrives with its code`() async throws {
        let service = Service(methods: [
            "Fail": { _, _ in throw RPCError(code: .notFound, message: String(repeating: "long ", count: 20_000)) }
        ])
        try await CallPair.with(service) { pair in
            let error = try await rpcError { _ = try await pair.client.call("Fail") }
            #expect(error.code == .notFound)
        }
    }

    @Test func `a call that is cancelled while it waits for its turn is never begun, and its writer waits no more`()
        async throws
    {
        var limits = Limits.standard
        limits.maxConcurrentStreams = 1
        let begun = Observed(0)
        let service = Service(methods: [
            "Count": { request, context in
                begun.update { $0 += 1 }
                return try await Service.echo(request, context)
            }
        ])
        let hasSent = Observed(false)
        try await CallPair.with(service, calleeLimits: limits) { pair in
            try await pair.client.stream("Count") { writer in
                try await writer.write([1])
                try await begun.wait(for: "the first call") { $0 == 1 }
                // More than a writer may be ahead.
                let second = Task {
                    try await pair.client.stream("Count") { writer in
                        for _ in 0..<100 {
                            try await writer.write([UInt8](repeating: 0, count: 64 << 10))
                            hasSent.update { $0 = true }
                        }
                    } receive: { response in
                        for try await _ in response.messages {}
                    }
                }
                try await hasSent.wait(for: "what has room") { $0 }
                second.cancel()
                await #expect(throws: (any Error).self) { try await second.value }
            } receive: { response in
                for try await _ in response.messages {}
            }
            #expect(try await pair.client.call("Count", [3]) == [3])
            #expect(begun.value == 2)
        }
    }

    @Test func `more calls than the peer takes at once wait for their turn`() async throws {
        var limits = Limits.standard
        limits.maxConcurrentStreams = 2
        let most = Observed((now: 0, most: 0))
        let service = Service(methods: [
            "Echo": { request, context in
                most.update {
                    $0.now += 1
                    $0.most = max($0.most, $0.now)
                }
                defer { most.update { $0.now -= 1 } }
                var message: [UInt8] = []
                for try await next in request.messages { message = next }
                return StreamingServerResponse(single: ServerResponse(message: message))
            }
        ])
        try await CallPair.with(service, calleeLimits: limits) { pair in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<50 {
                    group.addTask { Int(try await pair.client.call("Echo", [UInt8(number)])[0]) }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 49 * 50 / 2)
            #expect(most.value.most >= 1)
        }
    }
}
