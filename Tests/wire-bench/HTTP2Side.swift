import GRPCCore
import GRPCNIOTransportHTTP2Posix
import SystemPackage

/// grpc-swift-nio-transport: HTTP/2 over BoringSSL, both ends with certificates as ours have.
struct HTTP2Side: Sendable {
    typealias Client = HTTP2ClientTransport.Posix

    /// Where openssl left `ca.pem`, `cert.pem` and `key.pem`.
    let certificates: FilePath

    private func file(_ name: String) -> String { certificates.appending(name).string }

    func server() throws -> HTTP2ServerTransport.Posix {
        HTTP2ServerTransport.Posix(
            address: .ipv4(host: "127.0.0.1", port: 0),
            transportSecurity: .mTLS(
                certificateChain: [.file(path: file("cert.pem"), format: .pem)],
                privateKey: .file(path: file("key.pem"), format: .pem)
            ) { tls in
                tls.trustRoots = .certificates([.file(path: file("ca.pem"), format: .pem)])
                tls.clientCertificateVerification = .noHostnameVerification
            })
    }

    func client(port: Int) throws -> HTTP2ClientTransport.Posix {
        try HTTP2ClientTransport.Posix(
            target: .ipv4(address: "127.0.0.1", port: port),
            transportSecurity: .mTLS(
                certificateChain: [.file(path: file("cert.pem"), format: .pem)],
                privateKey: .file(path: file("key.pem"), format: .pem)
            ) { tls in
                tls.trustRoots = .certificates([.file(path: file("ca.pem"), format: .pem)])
                tls.serverCertificateVerification = .noHostnameVerification
            })
    }

    func serving<Result: Sendable>(_ body: @escaping @Sendable (Int) async throws -> Result) async throws -> Result {
        let server = GRPCServer(transport: try server(), services: [EchoService()])
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.serve() }
            guard let port = try await server.listeningAddress?.ipv4?.port else {
                throw RPCError(code: .unavailable, message: "no address")
            }
            let result = try await body(port)
            server.beginGracefulShutdown()
            try await group.waitForAll()
            return result
        }
    }

    func with<Result: Sendable>(_ body: @escaping @Sendable (any EchoCalls) async throws -> Result) async throws
        -> Result
    {
        try await serving { port in
            let client = GRPCClient(transport: try self.client(port: port))
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await client.runConnections() }
                let result = try await body(EchoClient(client: client))
                client.beginGracefulShutdown()
                try await group.waitForAll()
                return result
            }
        }
    }

    /// A connection is made for a call: it cannot be made by itself.
    func handshakes(for duration: Duration) async throws -> Double {
        try await serving { port in
            let began = ContinuousClock.now
            var count = 0
            while began.duration(to: .now) < duration {
                let client = GRPCClient(transport: try self.client(port: port))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await client.runConnections() }
                    try await EchoClient(client: client).echo([1])
                    client.beginGracefulShutdown()
                    try await group.waitForAll()
                }
                count += 1
            }
            return Double(count) / (began.duration(to: .now) / .seconds(1))
        }
    }
}
