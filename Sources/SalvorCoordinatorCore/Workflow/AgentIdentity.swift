internal import SalvorAudit
internal import SalvorDigest
internal import SalvorMessages

/// Which agent answered, as the journal keeps it.
struct AgentIdentity: Codable, Sendable {
    var agent: String
    var kernel: String
    var certificate: Digest

    init(_ version: Salvor_V1_VersionResponse, fingerprint: Digest) {
        agent = version.agent
        kernel = version.kernel
        certificate = fingerprint
    }

    var auditEvent: AuditEvent {
        .agentConnected(
            AuditEvent.AgentConnected(
                agentVersion: agent, kernel: kernel.isEmpty ? nil : kernel, certificateSHA256: certificate))
    }
}
