internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// HTTP and HTTPS by AsyncHTTPClient, with the settings that its traps ask for.
package final class HTTPConnections: HTTPTransport {
    /// Answers of Azure Resource Manager are small; a list of 2,000 machines has about 4 MB a page.
    private static let bodyLimit = 64 << 20

    private let client: HTTPClient

    package struct Settings: Sendable {
        /// PEM file of the authorities to trust instead of the system's.
        package var authorityFile: String?
        /// `http://[user:password@]host:port`, as `HTTPS_PROXY` has it; nil for none.
        package var proxy: String?
        package var connectTimeout: Duration = .seconds(10)

        package init(authorityFile: String? = nil, proxy: String? = nil) {
            self.authorityFile = authorityFile
            self.proxy = proxy
        }
    }

    /// - Throws: ``AzureError/Code/badSetting`` for an authority file that cannot be read and a proxy that is no address.
    package init(_ settings: Settings) throws(AzureError) {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = TimeAmount(settings.connectTimeout)
        // HTTP/1.1: under HTTP/2 a storm of cancelled calls brings REFUSED_STREAM, which this client does not retry.
        configuration.httpVersion = .http1Only
        // Otherwise a refused connection and a certificate that is not trusted show only after the connect timeout.
        configuration.connectionPool.retryConnectionEstablishment = false
        // Above the number of calls at the same time, or each further connection is thrown away after its call.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 128
        configuration.connectionPool.idleTimeout = .seconds(30)
        var tls = TLSConfiguration.makeClientConfiguration()
        // After many cancellations the next call would wait 5 seconds for closing connections.
        tls.shutdownTimeout = .milliseconds(250)
        if let file = settings.authorityFile {
            do {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(file))
            } catch {
                throw AzureError(
                    .badSetting, "The certificate authorities in \(file) cannot be read.",
                    nextStep: "Name a PEM file with at least one certificate.", cause: error)
            }
        }
        configuration.tlsConfiguration = tls
        if let proxy = settings.proxy { configuration.proxy = try Self.proxy(proxy) }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Closes what is open. Nothing may be sent afterwards.
    package func close() async { try? await client.shutdown() }

    package func send(_ request: HTTPRequest) async throws(AzureError) -> HTTPResponse {
        var message = HTTPClientRequest(url: request.url)
        message.method = .init(rawValue: request.method)
        for field in request.headers { message.headers.add(name: field.name, value: field.value) }
        if !request.body.isEmpty { message.body = .bytes(ByteBuffer(bytes: request.body)) }
        do {
            let answer = try await client.execute(message, timeout: TimeAmount(request.timeout))
            let body = try await answer.body.collect(upTo: Self.bodyLimit)
            return HTTPResponse(
                status: Int(answer.status.code), headers: answer.headers.map { HTTPField($0.name, $0.value) },
                body: Array(body.readableBytesView))
        } catch {
            throw Self.failure(error, of: request)
        }
    }

    private static func failure(_ error: any Error, of request: HTTPRequest) -> AzureError {
        let place = URLComponents(string: request.url).flatMap { parts in
            parts.host.map { host in parts.port.map { "\(host):\($0)" } ?? host }
        }
        let host = place ?? "the address"
        if Task.isCancelled || error is CancellationError || error as? HTTPClientError == .cancelled {
            return AzureError(
                .cancelled, "A call to \(host) was interrupted; whether it had its effect is not known.",
                nextStep: "Resume the run.")
        }
        switch error as? HTTPClientError {
        case .deadlineExceeded?, .readTimeout?, .writeTimeout?, .connectTimeout?, .tlsHandshakeTimeout?:
            return AzureError(
                .timedOut, "\(host) did not answer within \(request.timeout.components.seconds) s.",
                nextStep: "Check the network and the proxy settings, then resume the run.", cause: error)
        default:
            return AzureError(
                .unreachable, "\(host) cannot be reached.",
                nextStep: "Check the network, the proxy settings and the certificate authorities.", cause: error)
        }
    }

    private static func proxy(_ address: String) throws(AzureError) -> HTTPClient.Configuration.Proxy {
        // The address may hold a password: it is not quoted.
        guard let parts = URLComponents(string: address.contains("://") ? address : "http://\(address)"),
            let host = parts.host, !host.isEmpty
        else {
            throw AzureError(
                .badSetting, "The proxy setting is no address.", nextStep: "Set HTTPS_PROXY to http://HOST:PORT.")
        }
        let port = parts.port ?? 8080
        guard let user = parts.user else { return .server(host: host, port: port) }
        return .server(
            host: host, port: port, authorization: .basic(username: user, password: parts.password ?? ""))
    }
}

extension TimeAmount {
    init(_ duration: Duration) {
        self = .nanoseconds(
            duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000)
    }
}
