internal import Glibc
package import SalvorMessages
internal import SalvorSystem
internal import SwiftProtobuf

extension Salvor_V1_Bootstrap {
    /// The version of the bootstrap data that this agent reads.
    package static let supportedVersion: UInt32 = 1

    /// Name of the file on the config disk.
    package static let fileName = "salvor-bootstrap"

    /// Reads and checks the bootstrap data. Blocking. No error ever holds the token.
    /// - Throws: ``AgentError/Code/invalidBootstrap``.
    package static func read(from path: String) throws(AgentError) -> Salvor_V1_Bootstrap {
        guard let bytes = contents(ofFile: path, limit: 1 << 16) else {
            throw .bootstrap("\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        return try parse(bytes)
    }

    /// Reads and checks the bootstrap data, from a file that is handed over once it is known whether there is a config
    /// disk: an empty one says that there is none, and that the instance metadata service is to be asked.
    /// - Parameter waiting: told why there is nothing yet; nothing told is secret.
    /// - Throws: ``AgentError/Code/invalidBootstrap``.
    package static func read(
        from path: String, orFrom metadata: InstanceMetadata, waiting: @Sendable (String) -> Void
    ) async throws(AgentError) -> Salvor_V1_Bootstrap {
        let bytes = await Blocking.run { contents(ofFile: path, limit: 1 << 16) }
        if let bytes, !bytes.isEmpty { return try parse(bytes) }
        return try parse(try await metadata.userData(waiting: waiting))
    }

    /// - Throws: ``AgentError/Code/invalidBootstrap``.
    package static func parse(_ bytes: [UInt8]) throws(AgentError) -> Salvor_V1_Bootstrap {
        // The decoder's own error is not kept: it could quote what it stumbled over.
        guard let bootstrap = try? Salvor_V1_Bootstrap(serializedBytes: bytes) else {
            throw .bootstrap("its \(bytes.count) bytes are no Bootstrap message")
        }
        try bootstrap.validate()
        return bootstrap
    }

    /// The coordinator's address in its two parts.
    /// - Throws: ``AgentError/Code/invalidBootstrap``.
    package func coordinatorAddress() throws(AgentError) -> (host: String, port: UInt16) {
        // The last colon: an IPv6 address in brackets has others.
        guard let colon = coordinator.lastIndex(of: ":"),
            let port = UInt16(coordinator[coordinator.index(after: colon)...]), port > 0
        else { throw .bootstrap("the coordinator \"\(printable(coordinator.utf8))\" is not host:port") }
        var host = coordinator[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .bootstrap("the coordinator \"\(printable(coordinator.utf8))\" is not host:port")
        }
        return (String(host), port)
    }

    /// How this host and its coordinator come together.
    package enum Route: Hashable, Sendable {
        case dial(host: String, port: UInt16)
        /// Until the coordinator dials.
        case listen(port: UInt16)
    }

    /// - Throws: ``AgentError/Code/invalidBootstrap``.
    package func route() throws(AgentError) -> Route {
        if listenPort != 0 { return .listen(port: UInt16(clamping: listenPort)) }
        let address = try coordinatorAddress()
        return .dial(host: address.host, port: address.port)
    }

    private func validate() throws(AgentError) {
        guard version == Self.supportedVersion else {
            throw .bootstrap("it is of version \(version), and this agent reads version \(Self.supportedVersion)")
        }
        guard Self.isName(host) else {
            throw .bootstrap("the host name \"\(printable(host.utf8))\" is empty or unusable")
        }
        guard Self.isName(run) else { throw .bootstrap("the run \"\(printable(run.utf8))\" is empty or unusable") }
        if listenPort == 0 {
            _ = try coordinatorAddress()
        } else {
            // Both would leave it open who dials.
            guard coordinator.isEmpty else { throw .bootstrap("it names a coordinator and a port to listen on") }
            guard listenPort <= UInt16.max else { throw .bootstrap("\(listenPort) is no TCP port to listen on") }
        }
        guard caFingerprint.count == 32 else {
            throw .bootstrap("the CA's fingerprint has \(caFingerprint.count) bytes instead of 32")
        }
        guard enrolmentToken.count == 32 else {
            throw .bootstrap("the enrolment token has \(enrolmentToken.count) bytes instead of 32")
        }
        guard coordinatorTimeoutSeconds > 0 else {
            throw .bootstrap("it sets no coordinator timeout: the rescue VM would never power itself off")
        }
        if hasNetwork { try network.validate() }
    }

    private static func isName(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }
}

extension Salvor_V1_StaticNetwork {
    fileprivate func validate() throws(AgentError) {
        let parts = address.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, Self.isIPv4(parts[0]), let prefix = UInt8(parts[1]), prefix <= 32 else {
            throw .bootstrap("the address \"\(printable(address.utf8))\" is no IPv4 address with a prefix length")
        }
        guard gateway.isEmpty || Self.isIPv4(gateway[...]) else {
            throw .bootstrap("the gateway \"\(printable(gateway.utf8))\" is no IPv4 address")
        }
    }

    private static func isIPv4(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil && $0.allSatisfy(\.isASCII) && $0.first != "+" }
    }
}

extension AgentError {
    fileprivate static func bootstrap(_ fault: String) -> AgentError {
        AgentError(
            .invalidBootstrap, "The bootstrap data is unusable: \(fault).",
            next: "Start the rescue VM again with a config disk or userData that the coordinator made for it.")
    }
}
