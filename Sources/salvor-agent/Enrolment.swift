internal import FoundationEssentials
internal import GRPCCore
internal import SalvorMessages
internal import SalvorTransport
internal import SwiftProtobuf
internal import Synchronization

/// How the agent comes to its certificate: it has a key, which never leaves this process, and is given a certificate
/// for it in exchange for the token of its bootstrap data.
///
/// There is one key: a token is good for one key, and an attempt whose answer was lost may be repeated with it.
struct Enrolment: Sendable {
    private let identity: PeerIdentity
    private let key: KeyPair
    private let request: CertificateRequest
    /// Secret.
    private let token: Data

    init(run: String, host: String, key: KeyPair, token: Data) throws(TransportError) {
        identity = .host(run: run, host: host)
        self.key = key
        request = try CertificateRequest(for: identity, key: key)
        self.token = token
    }

    func makeService() -> EnrolmentService {
        EnrolmentService(identity: identity, key: key, request: request, token: token)
    }
}

/// Serves one enrolment connection.
final class EnrolmentService: Salvor_V1_Enrolment.SimpleServiceProtocol {
    private let identity: PeerIdentity
    private let key: KeyPair
    private let request: CertificateRequest
    private let token: Data
    private let certificate = Mutex<Certificate?>(nil)

    init(identity: PeerIdentity, key: KeyPair, request: CertificateRequest, token: Data) {
        self.identity = identity
        self.key = key
        self.request = request
        self.token = token
    }

    func request(
        request: Salvor_V1_EnrolmentRequest, context: ServerContext
    ) async throws -> Salvor_V1_EnrolmentResponse {
        guard case .host(_, let host) = identity else {
            throw RPCError(code: .internalError, message: "only a rescue host enrols")
        }
        return .with {
            $0.certificateSigningRequest = Data(self.request.der)
            $0.token = token
            $0.host = host
        }
    }

    func install(
        request: Salvor_V1_InstallRequest, context: ServerContext
    ) async throws -> Salvor_V1_InstallResponse {
        do {
            let certificate = try Certificate(der: Array(request.certificate))
            guard try PeerIdentity(of: certificate) == identity else {
                throw TransportError(.wrongName, "the certificate is for \(try PeerIdentity(of: certificate))")
            }
            self.certificate.withLock { $0 = certificate }
        } catch {
            throw RPCError(code: .invalidArgument, message: "the certificate cannot be used: \(error)", cause: error)
        }
        return Salvor_V1_InstallResponse()
    }

    /// What the coordinator installed before it closed the connection.
    func installedIdentity() throws(TransportError) -> LocalIdentity {
        guard let certificate = certificate.withLock({ $0 }) else {
            throw TransportError(.noCertificate, "the coordinator closed the enrolment without giving a certificate")
        }
        return LocalIdentity(chain: [certificate], key: key)
    }
}
