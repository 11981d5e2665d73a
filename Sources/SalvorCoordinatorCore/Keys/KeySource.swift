package import SalvorSystem

/// Where keys of encrypted volumes come from: a file, a person, a vault. Asked for a machine only once its disk has been
/// looked at, so that it is known which protectors there are.
package protocol KeySource: Sendable {
    /// For messages and the audit log: `the file keys.csv`.
    var name: String { get }

    /// - Returns: the keys that may fit, best first; none where this source has none.
    func keys(for request: KeyRequest) async throws(CoordinatorError) -> [VolumeKey]
}

/// A machine whose disk has volumes that are locked.
package struct KeyRequest: Sendable {
    package struct Protector: Hashable, Sendable {
        /// In canonical lower-case form.
        package var guid: String
        package var kind: ProtectorKind

        package init(guid: String, kind: ProtectorKind) {
            self.guid = guid
            self.kind = kind
        }
    }

    package struct Volume: Hashable, Sendable {
        package var number: UInt32
        package var partitionGUID: String
        package var volumeGUID: String
        package var protectors: [Protector]

        package init(number: UInt32, partitionGUID: String, volumeGUID: String, protectors: [Protector]) {
            self.number = number
            self.partitionGUID = partitionGUID
            self.volumeGUID = volumeGUID
            self.protectors = protectors
        }
    }

    package var machine: Machine
    package var volumes: [Volume]

    package init(machine: Machine, volumes: [Volume]) {
        self.machine = machine
        self.volumes = volumes
    }

    package var protectors: [Protector] { volumes.flatMap(\.protectors) }
}

package enum ProtectorKind: String, Hashable, Sendable {
    case clearKey = "clear key"
    case tpm = "TPM"
    case startupKey = "startup key"
    case tpmAndStartupKey = "TPM and startup key"
    case tpmAndPIN = "TPM and PIN"
    case recoveryPassword = "recovery key"
    case smartCard = "smart card"
    case password
    case unknown
}

/// One key. It prints without its secret and has no encoding.
package struct VolumeKey: Sendable {
    package enum Kind: String, Hashable, Sendable {
        /// 48 digits in eight groups, as ASCII.
        case recoveryPassword
        /// UTF-8.
        case password
        /// What a .BEK file holds.
        case startupKey
    }

    package var kind: Kind
    /// The protector that it is for, in canonical lower-case form; nil for any of its kind.
    package var protector: String?
    package var secret: SecretBytes

    package init(_ kind: Kind, protector: String? = nil, secret: SecretBytes) {
        self.kind = kind
        self.protector = protector
        self.secret = secret
    }
}
