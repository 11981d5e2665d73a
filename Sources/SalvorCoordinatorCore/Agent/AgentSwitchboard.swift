package import SalvorDigest

/// Where the agents of one run come in: the listener, the run's certificate authority, and enrolment.
///
/// An agent that vanishes may come back, by the certificate that it has (SPEC.md A-4): its calls wait for that, and where it
/// does not they fail with ``CoordinatorError/Code/agentGone``. The switchboard lets in no other one of that name.
package protocol AgentSwitchboard: Sendable {
    /// The port on this machine that agents call.
    var port: Int { get }

    /// What a rescue VM needs to be let in. Each call makes a new token, which lets in one host once.
    func credentials(for host: HostName) async throws(CoordinatorError) -> EnrolmentCredentials

    /// Lets in the agent of a host that an earlier process started, by the certificate that it was given then.
    func expect(_ host: HostName, certificate: Digest) async

    /// Waits until that host's agent has proven itself. A host with a ``RescueHost/listenAddress`` is dialled, and dialled
    /// again whenever the link breaks, until ``release(_:)``.
    /// - Parameter isThere: whether the host still runs. Nobody waits for the agent of one that does not, now or after a
    ///   lost link.
    /// - Throws: ``CoordinatorError/Code/agentGone`` where there is none within `timeout`, or one with a certificate
    ///   or token that is not this run's.
    func agent(
        on host: RescueHost, within timeout: Duration, while isThere: @escaping @Sendable () async -> Bool
    ) async throws(CoordinatorError) -> any Agent

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
