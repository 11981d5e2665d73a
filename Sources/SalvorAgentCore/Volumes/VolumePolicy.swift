internal import SalvorMessages

extension Salvor_V1_VolumePolicy {
    /// Why a volume in such a state is left as it is, and what can be done; nil where the recipe repairs it.
    func refusal(of state: Salvor_V1_VolumeState) -> (code: AgentError.Code, why: String, nextStep: String)? {
        switch state {
        case .clean: nil
        case .logOpen where resetLog: nil
        case .logOpen:
            (
                .unclean, "was not shut down cleanly, and the recipe does not allow its log to be reset",
                "Set reset_log in the recipe's volume policy, if losing what the log holds is acceptable."
            )
        case .dirty where repairDirty, .chkdskScheduled where repairDirty: nil
        case .dirty, .chkdskScheduled:
            (
                .unclean, "is marked for a check by chkdsk, and the recipe repairs no such volume",
                "Set repair_dirty in the recipe's volume policy: Windows still makes the check at its next start."
            )
        case .hibernated where discardHibernation, .fastStartup where discardHibernation: nil
        case .hibernated:
            (
                .hibernated, "is hibernated",
                "Start Windows, shut it down fully (shutdown /s /f /t 0), and copy the disk again. Where it cannot start, "
                    + "--consent discard-hibernation gives up its session, with all that its programs had not saved."
            )
        case .fastStartup:
            (
                .hibernated, "was shut down with Fast Startup",
                "Start Windows, shut it down fully (shutdown /s /f /t 0), and copy the disk again. Where it cannot start, "
                    + "--consent discard-hibernation gives up the session that its kernel and drivers kept."
            )
        case .corrupt, .locked, .unspecified, .UNRECOGNIZED:
            (.corrupt, "has damaged NTFS structures", "Run chkdsk on a copy in Windows, or restore a backup.")
        }
    }
}
