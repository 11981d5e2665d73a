package import SalvorDigest

extension EmulatorConfiguration {
    /// An application that may sign in, and by what.
    package struct Application: Sendable {
        package var id: String
        /// Its id as an object of the directory, which roles are assigned to.
        package var objectID: String
        package var name: String
        package var secretSHA256: Digest?
        package var certificates: [ClientCertificate]
        package var federated: [FederatedCredential]
        /// A built-in role that it has on every subscription; nil for one that has to be given all it may do.
        package var role: String?

        package init(
            id: String, objectID: String? = nil, name: String = "application", secretSHA256: Digest? = nil,
            certificates: [ClientCertificate] = [], federated: [FederatedCredential] = [], role: String? = "Owner"
        ) {
            self.id = id
            self.objectID = objectID ?? PrincipalID.derived(from: id)
            self.name = name
            self.secretSHA256 = secretSHA256
            self.certificates = certificates
            self.federated = federated
            self.role = role
        }
    }

    /// An issuer whose tokens for one subject stand in for an application's secret.
    package struct FederatedCredential: Sendable {
        package var issuer: String
        package var subject: String
        package var audience: String
        /// The issuer's keys, by their names where they have some.
        package var keys: [(name: String?, key: RSAKey)]

        /// What Azure proposes.
        package static let standardAudience = "api://AzureADTokenExchange"

        package init(
            issuer: String, subject: String, audience: String = Self.standardAudience,
            keys: [(name: String?, key: RSAKey)]
        ) {
            self.issuer = issuer
            self.subject = subject
            self.audience = audience
            self.keys = keys
        }
    }

    /// The identity of the machine that the emulator runs on, as its metadata service gives it out.
    package struct HostIdentity: Sendable {
        package var clientID: String
        package var objectID: String
        /// A built-in role that it has on every subscription.
        package var role: String?

        package init(clientID: String, objectID: String? = nil, role: String? = "Contributor") {
            self.clientID = clientID
            self.objectID = objectID ?? PrincipalID.derived(from: clientID)
            self.role = role
        }
    }
}

/// Ids of one thing made of the id of another, so that they need not be kept.
package enum PrincipalID {
    /// A UUID that is always the same for the same text.
    package static func derived(from text: String) -> String {
        let hex = Array(SHA256.digest(of: Array(text.lowercased().utf8)).hex)
        func part(_ range: Range<Int>) -> String { String(hex[range]) }
        return "\(part(0..<8))-\(part(8..<12))-4\(part(13..<16))-a\(part(17..<20))-\(part(20..<32))"
    }
}
