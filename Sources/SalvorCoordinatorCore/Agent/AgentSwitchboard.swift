package import SalvorDigest

/// Where the agents of one run come in: the listener, the run's certificate authority, and enrolment.
///
/// When an agent vanishes, calls to it fail with ``CoordinatorError/Code/agentGone``; the switchboard never waits for
/// another one of that name.
package protocol AgentSwitchboard: Sendable {
    /// The port on this machine that agents call.
    var port: Int { get }

    /// What a rescue VM needs to be let in. Each call makes a new token, which lets in one host once.
    func credentials(for host: HostName) async throws(CoordinatorError) -> EnrolmentCredentials

    /// Lets in the agent of a host that an earlier process started, by the certificate that it was given then.
    func expect(_ host: HostName, certificate: Digest) async

    /// Waits until that host's agent has proven itself. A host with a ``RescueHost/listenAddress`` is dialled, and dialled
    /// again whenever the link breaks, until ``release(_:)``.
    /// - Throws: ``CoordinatorError/Code/agentGone`` where there is none within `timeout`, or one with a certificate
    ///   or token that is not this run's.
    func agent(on host: RescueHost, within timeout: Duration) async throws(CoordinatorError) -> any Agent

    /// The host is about to be ended: it is not dialled any more.
    func release(_ host: HostName) async

    /// Ends all connections, and stops listening and dialling.
    func close() async
}

/// Not `Codable` and not printable: the token goes into the bootstrap data and nowhere else.
package struct EnrolmentCredentials: Sendable {
    /// SHA-256 of the DER of the run's CA certificate.
    package var authorityFingerprint: Digest
    /// 32 random bytes.
    package var token: [UInt8]

    package init(authorityFingerprint: Digest, token: [UInt8]) {
        self.authorityFingerprint = authorityFingerprint
        self.token = token
    }
}

extension EnrolmentCredentials: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String { "enrolment credentials for \(authorityFingerprint)" }
    package var debugDescription: String { description }
}
