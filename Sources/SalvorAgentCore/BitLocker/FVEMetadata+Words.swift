internal import SalvorMessages
internal import SwiftProtobuf

extension FVEMetadata {
    func message(for volume: Salvor_V1_Volume, isUnlocked: Bool) -> Salvor_V1_EncryptedVolume {
        .with {
            $0.volumeNumber = volume.number
            $0.partitionGuid = volume.partitionGuid
            $0.volumeGuid = volumeGUID
            $0.state = state
            $0.cipher = cipher?.name ?? ""
            $0.protectors = protectors.map { protector in
                .with {
                    $0.guid = protector.guid
                    $0.kind = protector.kind
                }
            }
            $0.unlocked = isUnlocked
            $0.detail = isUnlocked ? "" : why
        }
    }

    /// Whether a key is what is missing; with damaged metadata, one and Windows' own repair-bde.
    var isLocked: Bool { [.encrypted, .suspended, .damaged].contains(state) }

    /// Why it is closed, to follow the volume's name.
    var why: String {
        switch state {
        case .converting: "is being encrypted or decrypted by BitLocker, or paused in it"
        case .encryptOnWrite: "is encrypted by BitLocker only as it is written, and not yet as a whole"
        case .unsupported: "is encrypted by BitLocker in a way that Salvor does not know"
        case .damaged: "is encrypted by BitLocker, and none of the copies of its metadata is whole"
        default: "is locked by BitLocker; its key protectors: \(protectorList)"
        }
    }

    /// What the operator can do.
    var keysWanted: String {
        switch state {
        case .converting, .encryptOnWrite:
            "Let Windows finish (manage-bde -status) and copy the disk again, or restore a backup."
        case .unsupported: "Decrypt the volume in Windows on another machine, or restore a backup."
        case .damaged: "Repair it with repair-bde and the recovery key, or restore a backup."
        default:
            "Give a key (--keys, --ask-keys) for one of its protectors, by GUID, or suspend BitLocker before copying the disk."
        }
    }

    private var protectorList: String {
        protectors.isEmpty ? "none" : protectors.map { "\($0.kind.name) \($0.guid)" }.joined(separator: ", ")
    }
}

extension Salvor_V1_KeyProtector.Kind {
    var name: String {
        switch self {
        case .clearKey: "clear key"
        case .tpm: "TPM"
        case .startupKey: "startup key"
        case .tpmAndStartupKey: "TPM and startup key"
        case .tpmAndPin: "TPM and PIN"
        case .recoveryPassword: "recovery key"
        case .smartCard: "smart card"
        case .password: "password"
        case .unknown, .unspecified, .UNRECOGNIZED: "unknown"
        }
    }
}
