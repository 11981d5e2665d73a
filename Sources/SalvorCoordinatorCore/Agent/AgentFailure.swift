internal import GRPCCore
internal import SalvorAudit

/// Turns a failed call into an error that says where, for which machine, and what that means for the machine.
struct AgentFailure {
    let host: HostName
    let machine: String?
    /// `Apply.Run`.
    let method: String
    let deadline: Duration?

    func error(_ error: any Error) -> CoordinatorError {
        if let error = error as? CoordinatorError { return error }
        if error is CancellationError {
            return CoordinatorError(
                .interrupted, "The call \(method) to the agent on \(place) was interrupted.",
                nextStep: "Resume the run.")
        }
        guard let status = error as? RPCError else {
            return CoordinatorError(
                .agentGone, "The call \(method) to the agent on \(place) failed.", nextStep: Self.tryAgain, cause: error
            )
        }
        // A sink or an event handler of ours stopped the call: its own error says more than the status.
        if let cause = status.cause as? CoordinatorError { return cause }
        // The sentences below bring a full stop of their own.
        let said = printable(status.message.prefix(500).trimming(suffix: "."))
        switch status.code {
        case .unavailable, .unauthenticated, .aborted:
            return CoordinatorError(
                .agentGone, "The agent on \(place) was lost during \(method): \(said).", nextStep: Self.tryAgain,
                cause: status)
        case .deadlineExceeded:
            let seconds = deadline.map { " within \($0.components.seconds) s" } ?? ""
            return CoordinatorError(
                .agentTimedOut, "The agent on \(place) did not finish \(method)\(seconds).", nextStep: Self.tryAgain,
                cause: status)
        case .cancelled:
            return CoordinatorError(
                .interrupted, "The call \(method) to the agent on \(place) was cancelled.",
                nextStep: "Resume the run.", cause: status)
        case .resourceExhausted:
            return CoordinatorError(
                .noSpace, "The agent on \(place) has no room for \(method): \(said).",
                nextStep: "Give the rescue VM more memory, or rescue fewer machines at once.", cause: status)
        case .unimplemented:
            return CoordinatorError(
                .agentFault, "The agent on \(place) does not know \(method).",
                nextStep: "Build the rescue image with this Salvor (salvor image build).", cause: status)
        case .invalidArgument, .notFound, .alreadyExists, .permissionDenied, .failedPrecondition, .outOfRange:
            return CoordinatorError(
                .agentRefused, "The agent on \(place) refused \(method): \(said).",
                nextStep: "The original disk is as it was. Mend what the agent names, then repeat the rescue.",
                cause: status)
        default:
            return CoordinatorError(
                .agentFault, "The agent on \(place) failed in \(method): \(status.code), \(said).",
                nextStep: Self.tryAgain, cause: status)
        }
    }

    func fault(_ what: String) -> CoordinatorError {
        CoordinatorError(
            .agentFault, "The agent on \(place) \(what).",
            nextStep: "Build the rescue image with this Salvor (salvor image build), then repeat the rescue.")
    }

    private var place: String {
        guard let machine else { return host.host }
        return "\(host.host), working on \(printable(machine)),"
    }

    private static let tryAgain = "The original disk is as it was; repeat the rescue of this machine."
}

extension Substring {
    fileprivate func trimming(suffix: Character) -> Substring {
        self.last == suffix ? self.dropLast() : self
    }
}
