package import SalvorDigest

extension AuditEvent {
    /// A disk as its provider names it.
    package struct DiskIdentity: Hashable, Sendable, Codable {
        /// An absolute path, a resource id.
        package var identifier: String
        /// `raw`, `qcow2`, `managed`, ….
        package var format: String
        package var sizeBytes: UInt64?

        package init(identifier: String, format: String, sizeBytes: UInt64? = nil) {
            self.identifier = identifier
            self.format = format
            self.sizeBytes = sizeBytes
        }
    }

    /// The broken machine and its OS disk, before anything was done.
    package struct MachineFound: AuditPayload {
        package static let kind = "machineFound"
        package static let announcesEffect = false
        /// Where it is defined: a file, a resource id.
        package var definition: String
        package var disk: DiskIdentity
        /// Firmware, memory, zone, ….
        package var details: [String: String]

        package init(definition: String, disk: DiskIdentity, details: [String: String] = [:]) {
            self.definition = definition
            self.disk = disk
            self.details = details
        }
    }

    /// SHA-256 of the original disk's container, where it was computed.
    package struct OriginalDigest: AuditPayload {
        package static let kind = "originalDigest"
        package static let announcesEffect = false
        package var disk: String
        package var sha256: Digest

        package init(disk: String, sha256: Digest) {
            self.disk = disk
            self.sha256 = sha256
        }
    }

    /// What preflight found and did not object to.
    package struct PreflightRemark: AuditPayload {
        package static let kind = "preflightRemark"
        package static let announcesEffect = false
        package var remark: String

        package init(remark: String) { self.remark = remark }
    }

    /// A step of the workflow is about to have its effect. A step within a step is written `apply.mount`.
    package struct StepStarted: AuditPayload {
        package static let kind = "stepStarted"
        package var step: String
        package var detail: String?

        package init(step: String, detail: String? = nil) {
            self.step = step
            self.detail = detail
        }
    }

    package struct StepDone: AuditPayload {
        package static let kind = "stepDone"
        package static let announcesEffect = false
        package var step: String
        package var detail: String?
        package var milliseconds: UInt64

        package init(step: String, detail: String? = nil, took duration: Duration) {
            self.step = step
            self.detail = detail
            self.milliseconds = duration.wholeMilliseconds
        }
    }

    package struct StepFailed: AuditPayload {
        package static let kind = "stepFailed"
        package var step: String
        package var detail: String
        package var milliseconds: UInt64

        package init(step: String, detail: String, took duration: Duration) {
            self.step = step
            self.detail = detail
            self.milliseconds = duration.wholeMilliseconds
        }
    }

    package struct CopyMade: AuditPayload {
        package static let kind = "copyMade"
        package var original: DiskIdentity
        package var copy: DiskIdentity
        /// The copy holds only what differs: the original must stay for as long as the copy is used.
        package var dependsOnOriginal: Bool

        package init(original: DiskIdentity, copy: DiskIdentity, dependsOnOriginal: Bool) {
            self.original = original
            self.copy = copy
            self.dependsOnOriginal = dependsOnOriginal
        }
    }

    /// A rescue VM was started; the record's `host` names it.
    package struct HostStarted: AuditPayload {
        package static let kind = "hostStarted"
        package var identifier: String
        /// `kvm`, `tcg`, a VM size, ….
        package var acceleration: String?
        /// Digest of the rescue image, over its inputs or its bytes as the image's maker defines it.
        package var imageDigest: Digest?
        package var details: [String: String]

        package init(
            identifier: String, acceleration: String? = nil, imageDigest: Digest? = nil,
            details: [String: String] = [:]
        ) {
            self.identifier = identifier
            self.acceleration = acceleration
            self.imageDigest = imageDigest
            self.details = details
        }
    }

    package struct AgentConnected: AuditPayload {
        package static let kind = "agentConnected"
        package static let announcesEffect = false
        package var agentVersion: String
        package var kernel: String?
        /// SHA-256 of the certificate's DER.
        package var certificateSHA256: Digest

        package init(agentVersion: String, kernel: String? = nil, certificateSHA256: Digest) {
            self.agentVersion = agentVersion
            self.kernel = kernel
            self.certificateSHA256 = certificateSHA256
        }
    }

    package struct DiskAttached: AuditPayload {
        package static let kind = "diskAttached"
        /// `serial SLV…`, `lun 3`, `disk GUID …`.
        package var address: String
        /// Kernel device path on the rescue VM.
        package var device: String?

        package init(address: String, device: String? = nil) {
            self.address = address
            self.device = device
        }
    }

    package struct Swapped: AuditPayload {
        package static let kind = "swapped"
        package var original: DiskIdentity
        package var repaired: DiskIdentity
        /// How an operator puts the original back: a sentence or a command.
        package var wayBack: String

        package init(original: DiskIdentity, repaired: DiskIdentity, wayBack: String) {
            self.original = original
            self.repaired = repaired
            self.wayBack = wayBack
        }
    }

    /// The original disk is the machine's OS disk again.
    package struct SwappedBack: AuditPayload {
        package static let kind = "swappedBack"
        package var original: DiskIdentity
        package var repaired: DiskIdentity

        package init(original: DiskIdentity, repaired: DiskIdentity) {
            self.original = original
            self.repaired = repaired
        }
    }

    package struct BootProof: AuditPayload {
        package static let kind = "bootProof"
        package var verdict: BootVerdict
        /// The line that matched, the restarts counted. May hold what a guest printed.
        package var evidence: String
        package var milliseconds: UInt64
        package var consoleLog: String?

        package init(verdict: BootVerdict, evidence: String, took duration: Duration, consoleLog: String? = nil) {
            self.verdict = verdict
            self.evidence = evidence
            self.milliseconds = duration.wholeMilliseconds
            self.consoleLog = consoleLog
        }
    }

    /// Something that the run had made is gone.
    package struct CleanedUp: AuditPayload {
        package static let kind = "cleanedUp"
        /// `repairCopy`, `rescueHost`, ….
        package var resource: String
        package var identifier: String

        package init(resource: String, identifier: String) {
            self.resource = resource
            self.identifier = identifier
        }
    }

    /// Something that the run had made, or kept, is still there when it ends.
    package struct Remains: AuditPayload {
        package static let kind = "remains"
        package static let announcesEffect = false
        package var resource: String
        package var identifier: String
        package var why: String
        /// How an operator removes it: a sentence or a command.
        package var removal: String

        package init(resource: String, identifier: String, why: String, removal: String) {
            self.resource = resource
            self.identifier = identifier
            self.why = why
            self.removal = removal
        }
    }

    /// How work on the record's machine ended.
    package struct Outcome: AuditPayload {
        package static let kind = "outcome"
        package var kind: OutcomeKind
        package var message: String
        package var nextStep: String?
        package var failedStep: String?
        /// Whether any byte of the repair copy may have been changed.
        package var diskChanged: Bool

        package init(
            kind: OutcomeKind, message: String, nextStep: String? = nil, failedStep: String? = nil, diskChanged: Bool
        ) {
            self.kind = kind
            self.message = message
            self.nextStep = nextStep
            self.failedStep = failedStep
            self.diskChanged = diskChanged
        }
    }
}
