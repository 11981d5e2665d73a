package import SalvorCoordinatorCore
package import SalvorQEMU

extension ProviderError {
    /// A QEMU error where nothing more is known about what it means here.
    package init(_ error: QEMUError) {
        switch error.code {
        case .toolMissing:
            self.init(
                .toolMissing, error.message, nextStep: "Then repeat the command; `salvor doctor` checks the rest.")
        case .timedOut, .guestKeepsDisk:
            self.init(
                .timedOut, error.message, nextStep: "Resume the run: it takes up where this stopped.", cause: error)
        case .conflict, .identityMismatch, .alreadyRunning:
            self.init(
                .conflict, error.message, nextStep: "Find out what else uses it, then resume the run.", cause: error)
        case .startFailed where error.message.contains("lock"):
            self.init(
                .diskInUse, "QEMU could not get a disk: \(error.message)",
                nextStep: "Shut down what uses the disk, then resume the run.")
        case .fileFailed where error.description.contains("No space"),
            .imageFailed where error.description.contains("No space"):
            self.init(.noSpace, error.message, nextStep: "Make room and resume the run.", cause: error.cause)
        default:
            self.init(.failed, error.message, nextStep: "Resume the run, or roll it back.", cause: error.cause)
        }
    }
}

/// Runs what throws QEMU's errors as something that throws the provider's.
func providing<Value>(_ body: () async throws(QEMUError) -> Value) async throws(ProviderError) -> Value {
    do throws(QEMUError) {
        return try await body()
    } catch {
        throw ProviderError(error)
    }
}
