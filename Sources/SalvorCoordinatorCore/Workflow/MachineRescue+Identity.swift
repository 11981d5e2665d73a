internal import SalvorAudit
internal import SalvorMessages

/// Whether a disk is the machine's own, by what Windows on it is called.
extension MachineRescue {
    /// Windows keeps a computer's NetBIOS name, which has no more characters.
    private static let nameLimit = 15

    /// - Returns: how the work ends where a volume that would be changed holds a Windows with another computer name. A name
    ///   that cannot be read is told in the report and stops nothing.
    func refusal(of scan: Salvor_V1_ScanResponse) -> MachineOutcome? {
        guard let expected = machine.computerName, !expected.isEmpty, !context.configuration.acceptsOtherComputerName
        else { return nil }
        let changed = Set(scan.toTake.map(\.volumeNumber)).union(scan.toChange.map(\.volumeNumber))
        // A volume without a Windows of its own, the boot manager's, belongs to all that are on the disk.
        let isBoot = !changed.isSubset(of: scan.installations.map(\.volumeNumber))
        for installation in scan.installations where isBoot || changed.contains(installation.volumeNumber) {
            let found = installation.facts.computerName
            guard !found.isEmpty, Self.folded(found) != Self.folded(expected) else { continue }
            return MachineOutcome(
                .otherMachine,
                "Windows on volume \(installation.volumeNumber) is called \(printable(found.prefix(64))), and the machine "
                    + "\(printable(expected)). Nothing was changed.",
                nextStep:
                    "Check that this is the machine's disk. If it is, and it was renamed, say --consent other-computer-name."
            )
        }
        return nil
    }

    private static func folded(_ name: String) -> String { String(name.uppercased().prefix(nameLimit)) }
}
