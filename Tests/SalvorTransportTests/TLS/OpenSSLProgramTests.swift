import Glibc
import NIOCore
import NIOPosix
import SalvorTransport
import Subprocess
import Testing

/// The openssl program as the peer: TLS of the same library, driven by hands that are not ours.
@Suite(.timeLimit(.minutes(3))) struct OpenSSLProgramTests {
    /// What s_client says that connects, sends nothing and ends.
    private static func client(_ port: Int, _ arguments: [String]) async throws -> String {
        // Standard input that ends at once ends s_client once the handshake is done, or has failed.
        let result = try await Subprocess.run(
            .name("openssl"), arguments: Arguments(["s_client", "-connect", "127.0.0.1:\(port)"] + arguments),
            input: .none, output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        return result.standardOutput + result.standardError
    }

    private static func freePort() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(channel.localAddress?.port)
        try await channel.close()
        return port
    }

    @Test func `s_client gets in with TLS 1.3 and one of our protocols, and with nothing else`() async throws {
        let run = try Run()
        let coordinator = try await ListenerTests.Coordinator(Endpoint.coordinator(of: run.authority))
        let port = coordinator.listener.port

        let good = try await Self.client(port, ["-tls1_3", "-alpn", "salvor-enrol/1"])
        #expect(good.contains("New, TLSv1.3") && good.contains("ALPN protocol: salvor-enrol/1"), "\(good)")
        // nothing is resumed, so nothing can be replayed.
        #expect(good.contains("Early data was not sent") && !good.contains("Max Early Data: 1"))

        let old = try await Self.client(port, ["-tls1_2", "-alpn", "salvor-enrol/1"])
        #expect(old.contains("alert protocol version"), "\(old)")
        let foreign = try await Self.client(port, ["-tls1_3", "-alpn", "h2"])
        #expect(foreign.contains("alert no application protocol"), "\(foreign)")
        let silent = try await Self.client(port, ["-tls1_3"])
        #expect(!silent.contains("ALPN protocol: salvor"), "\(silent)")
        let codes = try await coordinator.refusals.wait(for: "the refusals") { $0.count >= 3 }.map(\.error.code)
        #expect(codes.filter { $0 == .noCommonProtocol }.count >= 2, "\(codes)")
        await coordinator.listener.close()
    }

    @Test func `s_client cannot resume a session, so that early data is never taken (R-4)`() async throws {
        let run = try Run()
        let coordinator = try await ListenerTests.Coordinator(Endpoint.coordinator(of: run.authority))
        let port = coordinator.listener.port
        let folder = "/tmp/salvor-sclient-\(UInt64.random(in: 0 ... .max))"
        let session = folder
        defer { unlink(session) }
        let first = try await Self.client(port, ["-tls1_3", "-alpn", "salvor-enrol/1", "-sess_out", session])
        #expect(first.contains("New, TLSv1.3"), "\(first)")
        // Without a ticket there is no session to come back with, and so no early data.
        let second = try await Self.client(
            port, ["-tls1_3", "-alpn", "salvor-enrol/1", "-sess_in", session, "-early_data", "/dev/null"])
        #expect(!second.contains("Reused, TLSv1.3") && !second.contains("Early data was accepted"), "\(second)")
        await coordinator.listener.close()
    }

    @Test func `s_server with a certificate of its own is refused by a host, whatever protocol it speaks`() async throws
    {
        let run = try Run()
        let folder = "/tmp/salvor-sserver-\(UInt64.random(in: 0 ... .max))"
        let (key, certificate) = (folder + ".key", folder + ".pem")
        defer {
            unlink(key)
            unlink(certificate)
        }
        let made = try await Subprocess.run(
            .name("openssl"),
            arguments: [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                "-subj", "/CN=stranger", "-keyout", key, "-out", certificate,
            ], output: .discarded, error: .string(limit: 1 << 16))
        try #require(made.terminationStatus.isSuccess, "\(made.standardError)")
        let port = try await Self.freePort()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                _ = try await Subprocess.run(
                    .name("openssl"),
                    arguments: [
                        "s_server", "-accept", "127.0.0.1:\(port)", "-tls1_3", "-alpn", "salvor/1", "-key", key,
                        "-cert",
                        certificate, "-quiet",
                    ], output: .discarded, error: .discarded)
            }
            let host = Endpoint.host(
                run: run.authority.run, authorityFingerprint: run.authority.fingerprint,
                identity: try run.host("rescue-1"))
            var failure: TransportError
            repeat {
                failure = try await ListenerTests.failure(of: host, port: port)
                // Until it listens.
            } while failure.code == .cannotConnect
            #expect(failure.code == .wrongCertificateAuthority, "\(failure)")
            group.cancelAll()
        }
    }
}
