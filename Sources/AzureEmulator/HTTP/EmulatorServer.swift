internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
package import SalvorTransport
internal import Synchronization

/// Serves an emulator by HTTPS.
package struct EmulatorServer: Sendable {
    private let emulator: Emulator
    private let tls: TLSContext
    private let logger: Logger

    /// - Parameter identity: the server's certificate and key.
    package init(_ emulator: Emulator, identity: LocalIdentity, logger: Logger) throws(TransportError) {
        self.emulator = emulator
        self.logger = logger
        tls = try TLSContext(TLSConfiguration(role: .server, identity: identity, trust: nil))
    }

    /// Serves until cancelled.
    /// - Parameters:
    ///   - address: of this machine.
    ///   - port: 0 for any that is free.
    ///   - onListening: called with the port, as soon as clients can connect.
    package func run(
        address: String = "127.0.0.1", port: Int, onListening: @escaping @Sendable (Int) async -> Void
    ) async throws {
        let tls = tls
        let application = Application(
            responder: EmulatorResponder(scheme: "https", host: "localhost:\(port)") { [emulator] in
                await emulator.answer($0)
            },
            server: HTTPServerBuilder { responder in
                TLSChannel(base: HTTP1Channel(responder: responder), tls: tls)
            },
            configuration: ApplicationConfiguration(address: .hostname(address, port: port)),
            onServerRunning: { [emulator] channel in
                let port = channel.localAddress?.port ?? port
                emulator.address.withLock { $0 = "https://localhost:\(port)" }
                await onListening(port)
            }, logger: logger)
        try await application.run()
    }
}

/// A request's context that knows its connection, for answers that never come.
struct EmulatorContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

/// Between Hummingbird's requests and the emulator's.
struct EmulatorResponder: HTTPResponder {
    typealias Context = EmulatorContext

    let scheme: String
    /// Where a client names none.
    let host: String
    let answer: @Sendable (EmulatorRequest) async -> EmulatorResponse

    func respond(to request: Request, context: Context) async throws -> Response {
        let body: ByteBuffer
        do {
            // One more than is taken, so that the emulator sees that it is too long.
            body = try await request.body.collect(upTo: Emulator.longestBody + 1)
        } catch is NIOTooManyBytesError {
            return response(Emulator.refuseBody(of: request.uri.path), to: request)
        }
        let answer = await answer(plain(request, body))
        switch answer.fate {
        case .sent: break
        case .hang: try await context.channel.closeFuture.get()
        case .drop: try await context.channel.close()
        }
        return response(answer, to: request)
    }

    private func plain(_ request: Request, _ body: ByteBuffer) -> EmulatorRequest {
        var headers: [String: String] = [:]
        for field in request.headers { headers[field.name.canonicalName] = field.value }
        var query: [String: String] = [:]
        for pair in (request.uri.query ?? "").split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query[Form.decode(halves[0].utf8).lowercased()] = halves.count == 2 ? Form.decode(halves[1].utf8) : ""
        }
        let host = request.head.authority ?? self.host
        // A plus sign in a path is a plus sign.
        let path = Form.decode(request.uri.path.utf8.flatMap { $0 == 0x2B ? Array("%2B".utf8) : [$0] })
        return EmulatorRequest(
            request.method.rawValue, path, query: query, headers: headers, body: Array(body.readableBytesView),
            base: "\(scheme)://\(host)")
    }

    private func response(_ answer: EmulatorResponse, to request: Request) -> Response {
        var headers = HTTPFields()
        for (name, value) in answer.headers {
            if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) }
        }
        let body: ResponseBody
        if request.method == .head {
            body = ResponseBody()
        } else if let stream = answer.stream {
            body = Self.body(stream)
        } else {
            body = ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body))
        }
        return Response(status: .init(code: answer.status), headers: headers, body: body)
    }

    private static let streamChunk: Int64 = 1 << 20

    private static func body(_ stream: EmulatorResponse.Stream) -> ResponseBody {
        ResponseBody(contentLength: Int(stream.bytes)) { writer in
            var offset: Int64 = 0
            while offset < stream.bytes {
                let end = min(offset + streamChunk, stream.bytes)
                try await writer.write(ByteBuffer(bytes: try await stream.read(offset..<end)))
                offset = end
            }
            try await writer.finish(nil)
        }
    }
}
