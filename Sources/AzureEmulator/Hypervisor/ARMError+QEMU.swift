internal import SalvorQEMU

extension ARMError {
    /// What an operation on a machine ends with where QEMU does not do what it should, in the codes of Azure's own host
    /// failures.
    init(_ error: QEMUError, of machine: String) {
        let reason = "\(error.description)"
        switch error.code {
        case .toolMissing, .startFailed, .alreadyRunning:
            self.init(409, "AllocationFailed", "Allocation failed: VM '\(machine)' could not be started. \(reason)")
        case .commandRefused, .conflict, .guestKeepsDisk, .imageFailed:
            self.init(
                409, "InternalDiskManagementError",
                "An internal disk management error occurred on VM '\(machine)'. \(reason)")
        default:
            self.init(
                500, "InternalExecutionError", "An internal execution error occurred on VM '\(machine)'. \(reason)")
        }
    }
}
