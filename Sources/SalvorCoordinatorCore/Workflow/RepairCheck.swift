internal import SalvorAudit
internal import SalvorDigest
internal import SalvorMessages

/// Whether a disk that the agent calls repaired is what the scan led to expect. An agent's word alone is not enough to
/// swap a disk.
struct RepairCheck {
    let machine: String
    /// The findings of what was to be deleted or written.
    let expected: [Salvor_V1_Finding]

    /// - Parameter verified: what the agent saw of each volume when it had mounted it anew.
    func check(verified: [Salvor_V1_VerifiedVolume]) throws(CoordinatorError) {
        guard !expected.isEmpty else { throw failure("there was nothing to repair") }
        for number in Set(expected.map(\.volumeNumber)).sorted() {
            let gone = expected.count { $0.volumeNumber == number && $0.action == .quarantineAndDelete }
            let written = expected.count { $0.volumeNumber == number && $0.action == .quarantineAndWrite }
            let seen = verified.filter { $0.volumeNumber == number }
            guard let last = seen.last else {
                throw failure("volume \(number) was not looked at after its repair")
            }
            guard Int(last.absentFiles) == gone else {
                throw failure("\(last.absentFiles) of \(gone) files are gone from volume \(number)")
            }
            guard Int(last.writtenFiles) == written else {
                throw failure("\(last.writtenFiles) of \(written) files are as written on volume \(number)")
            }
            guard last.tablesUnchanged else {
                throw failure("partition tables or boot code beside volume \(number) have changed")
            }
        }
    }

    /// - Parameters:
    ///   - taken: the findings of what was to be copied.
    ///   - stored: what has come out of the agent's quarantine into the coordinator's.
    func check(_ taken: [Salvor_V1_Finding], stored: [QuarantineManifest.File]) throws(CoordinatorError) {
        for finding in taken {
            let isStored = stored.contains {
                $0.path.components == finding.path && $0.volumeNumber == finding.volumeNumber
                    && $0.sha256.bytes == [UInt8](finding.sha256)
            }
            guard isStored else {
                throw failure("\(GuestPath(finding.path).display) was taken and is not in quarantine")
            }
        }
    }

    private func failure(_ what: String) -> CoordinatorError {
        CoordinatorError(
            .verificationFailed, "The repair of \(printable(machine)) does not verify: \(what). The copy is not used.",
            nextStep: "The original disk is as it was. Keep the run's audit log and report this.")
    }
}
