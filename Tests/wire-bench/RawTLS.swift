import COpenSSL
import Glibc
import SystemPackage

/// A stream of OpenSSL alone, with blocking sockets and nothing on top: the most that TLS allows here.
struct RawTLS {
    let certificates: FilePath

    /// MB/s of records of 64 KiB, over so many bytes.
    func megabytesPerSecond(_ total: Int) throws -> Double {
        var pair: [Int32] = [-1, -1]
        try connectedPair(&pair)
        defer { pair.forEach { close($0) } }
        let server = try context(isServer: true)
        let client = try context(isServer: false)
        defer {
            SSL_CTX_free(server)
            SSL_CTX_free(client)
        }
        let sender = Sender(context: server, descriptor: pair[0], total: total)
        var thread = pthread_t()
        let box = Unmanaged.passRetained(sender)
        guard
            pthread_create(
                &thread, nil,
                { argument in
                    if let argument { Unmanaged<Sender>.fromOpaque(argument).takeRetainedValue().run() }
                    return nil
                }, box.toOpaque()) == 0
        else { throw BenchFailure("no thread") }
        let session = SSL_new(client)
        defer { SSL_free(session) }
        SSL_set_fd(session, pair[1])
        guard SSL_connect(session) == 1 else { throw BenchFailure("OpenSSL's client could not connect") }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var received = 0
        let began = ContinuousClock.now
        while received < total {
            let count = SSL_read(session, &buffer, Int32(buffer.count))
            guard count > 0 else { throw BenchFailure("OpenSSL's stream broke after \(received) bytes") }
            received += Int(count)
        }
        let seconds = began.duration(to: .now) / .seconds(1)
        pthread_join(thread, nil)
        return Double(received) / 1_000_000 / seconds
    }

    private func context(isServer: Bool) throws -> OpaquePointer {
        guard let context = SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method()) else {
            throw BenchFailure("no TLS context")
        }
        guard isServer else { return context }
        guard SSL_CTX_use_certificate_chain_file(context, certificates.appending("cert.pem").string) == 1,
            SSL_CTX_use_PrivateKey_file(context, certificates.appending("key.pem").string, SSL_FILETYPE_PEM) == 1
        else { throw BenchFailure("no certificate") }
        return context
    }

    /// Over TCP, as the others are.
    private func connectedPair(_ pair: inout [Int32]) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        pair[1] = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let isConnected = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 1) == 0 && getsockname(listener, $0, &size) == 0
                    && connect(pair[1], $0, size) == 0
            }
        }
        guard isConnected else { throw BenchFailure("no connection over loopback") }
        pair[0] = accept(listener, nil, nil)
    }

    private final class Sender: Sendable {
        nonisolated(unsafe) let context: OpaquePointer
        let descriptor: Int32
        let total: Int

        init(context: OpaquePointer, descriptor: Int32, total: Int) {
            self.context = context
            self.descriptor = descriptor
            self.total = total
        }

        func run() {
            let session = SSL_new(context)
            defer { SSL_free(session) }
            SSL_set_fd(session, descriptor)
            guard SSL_accept(session) == 1 else { return }
            let chunk = [UInt8](repeating: 0x5A, count: 64 << 10)
            var sent = 0
            while sent < total {
                guard SSL_write(session, chunk, Int32(chunk.count)) > 0 else { return }
                sent += chunk.count
            }
        }
    }
}

/// Why there are no figures.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
