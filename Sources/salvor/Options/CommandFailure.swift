internal import ArgumentParser
internal import SalvorAudit
internal import SalvorAzure
internal import SalvorCoordinatorCore
internal import SalvorImage

/// Why a command ended without a result, in words for standard error and a number for the shell.
struct CommandFailure: Error {
    var code: SalvorCoordinatorCore.ExitCode
    var message: String

    init(_ code: SalvorCoordinatorCore.ExitCode, _ message: String, nextStep: String) {
        self.code = code
        self.message = "\(message) \(nextStep)"
    }

    init(_ error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let error as CoordinatorError: self.init(SalvorCoordinatorCore.ExitCode(error), error.description)
        case let error as ProviderError: self.init(CoordinatorError(error))
        case let error as AzureError: self.init(CoordinatorError(ProviderError(error)))
        case let error as ImageError: self.init(Self.code(of: error), error.description)
        case let error as AuditError: self.init(.stateUnusable, "\(error.message) \(error.nextStep)")
        case is CancellationError: self.init(.interrupted, "Interrupted.")
        default: self.init(.unexpected, "\(error)")
        }
    }

    private init(_ code: SalvorCoordinatorCore.ExitCode, _ message: String) {
        self.code = code
        self.message = message
    }

    private static func code(of error: ImageError) -> SalvorCoordinatorCore.ExitCode {
        switch error.code {
        case .toolMissing: .toolMissing
        case .diskFull: .noSpace
        case .recipeInvalid: .invalidInput
        case .cancelled: .interrupted
        default: .failed
        }
    }
}

extension AsyncParsableCommand {
    /// Runs a command's work until its end or until the operator interrupts it, and ends the process with its code.
    func ending(_ work: @escaping @Sendable () async throws -> SalvorCoordinatorCore.ExitCode) async throws {
        let task = Task { try await work() }
        let interrupts = Interrupts { task.cancel() }
        defer { interrupts.stop() }
        let code: SalvorCoordinatorCore.ExitCode
        do {
            code = try await task.value
        } catch {
            let failure = CommandFailure(error)
            StandardStreams.note("salvor: \(failure.message)")
            code = failure.code
        }
        if code != .success { throw ArgumentParser.ExitCode(code.rawValue) }
    }
}
