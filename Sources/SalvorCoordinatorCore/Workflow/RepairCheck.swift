internal import SalvorAudit
internal import SalvorDigest
internal import SalvorMessages

/// Whether a disk that the agent calls repaired is what the scan led to expect. An agent's word alone is not enough to
/// swap a disk.
struct RepairCheck {
    let machine: String
    let expected: [Salvor_V1_Finding]

    /// - Parameter verified: what the agent saw of each volume when it had mounted it anew.
    func check(verified: [Salvor_V1_VerifiedVolume]) throws(CoordinatorError) {
        guard !expected.isEmpty else { throw failure("there was nothing to repair") }
        for number in Set(expected.map(\.volumeNumber)).sorted() {
            let count = expected.count { $0.volumeNumber == number }
            let seen = verified.filter { $0.volumeNumber == number }
            guard let last = seen.last else {
                throw failure("volume \(number) was not looked at after its repair")
            }
            guard Int(last.absentFiles) == count else {
                throw failure("\(last.absentFiles) of \(count) files are gone from volume \(number)")
            }
            guard last.tablesUnchanged else {
                throw failure("partition tables or boot code beside volume \(number) have changed")
            }
        }
    }

    /// - Parameter stored: what has come out of the agent's quarantine into the coordinator's.
    func check(stored: [QuarantineManifest.File]) throws(CoordinatorError) {
        for finding in expected {
            let isStored = stored.contains {
                $0.path.components == finding.path && $0.volumeNumber == finding.volumeNumber
                    && $0.sha256.bytes == [UInt8](finding.sha256)
            }
            guard isStored else {
                throw failure("\(GuestPath(finding.path).display) was removed and is not in quarantine")
            }
        }
    }

    private func failure(_ what: String) -> CoordinatorError {
        CoordinatorError(
            .verificationFailed, "The repair of \(printable(machine)) does not verify: \(what). The copy is not used.",
            nextStep: "The original disk is as it was. Keep the run's audit log and report this.")
    }
}
