import GRPCCore

/// Messages are the bytes that they are: what is measured is the transport.
struct BytesCoder: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] {
        bytes.withUnsafeBytes { Array($0) }
    }
}

/// The same service on either transport.
struct EchoService: RegistrableRPCService {
    static let chunkBytes = 64 << 10
    /// Noise: what compresses well would measure zlib, and hardly reach TLS.
    static let chunk = (0..<chunkBytes).map { _ in UInt8.random(in: .min ... .max) }

    static func descriptor(_ method: String) -> MethodDescriptor {
        MethodDescriptor(fullyQualifiedService: "salvor.bench.Echo", method: method)
    }

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.registerHandler(
            forMethod: Self.descriptor("Echo"), deserializer: BytesCoder(), serializer: BytesCoder()
        ) { request, _ in
            StreamingServerResponse { writer in
                for try await message in request.messages { try await writer.write(message) }
                return [:]
            }
        }
        // As many chunks as the request has bytes.
        router.registerHandler(
            forMethod: Self.descriptor("Download"), deserializer: BytesCoder(), serializer: BytesCoder()
        ) { request, _ in
            StreamingServerResponse { writer in
                var chunks = 0
                for try await message in request.messages { chunks += message.count }
                let chunk = Self.chunk
                for _ in 0..<chunks { try await writer.write(chunk) }
                return [:]
            }
        }
    }
}

/// Calls of the service, over whichever transport.
protocol EchoCalls: Sendable {
    func echo(_ message: [UInt8]) async throws
    /// - Returns: the bytes that came.
    func download(chunks: Int) async throws -> Int
}

struct EchoClient<Transport: ClientTransport>: EchoCalls {
    let client: GRPCClient<Transport>

    func echo(_ message: [UInt8]) async throws {
        let count = try await client.unary(
            request: ClientRequest(message: message), descriptor: EchoService.descriptor("Echo"),
            serializer: BytesCoder(), deserializer: BytesCoder(), options: .defaults
        ) { try $0.message.count }
        guard count == message.count else { throw RPCError(code: .internalError, message: "\(count) bytes came back") }
    }

    func download(chunks: Int) async throws -> Int {
        try await client.serverStreaming(
            request: ClientRequest(message: [UInt8](repeating: 0, count: chunks)),
            descriptor: EchoService.descriptor("Download"), serializer: BytesCoder(), deserializer: BytesCoder(),
            options: .defaults
        ) { response in
            var bytes = 0
            for try await message in response.messages { bytes += message.count }
            return bytes
        }
    }
}
