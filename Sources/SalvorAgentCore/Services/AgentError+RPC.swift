package import GRPCCore

/// The one table from the agent's errors to gRPC's codes.
extension AgentError: RPCErrorConvertible {
    package var rpcErrorCode: RPCError.Code {
        switch code {
        case .invalidRequest, .invalidBootstrap: .invalidArgument
        case .noSuchDisk, .noSuchQuarantine, .unknownApply: .notFound
        case .quarantineExists: .alreadyExists
        case .rescueDisk: .permissionDenied
        case .quarantineFull: .resourceExhausted
        case .draining: .unavailable
        case .diskBusy: .aborted
        case .cancelled: .cancelled
        case .toolTimedOut: .deadlineExceeded
        case .quarantineDamaged, .truncated, .corrupt: .dataLoss
        case .severalDisks, .locked, .cannotUnlock, .hibernated, .unclean, .notWindows, .notNTFS, .mountedReadOnly,
            .inUse,
            .ambiguousPath, .linkInPath, .tooManyMatches, .drift, .stillMounted:
            .failedPrecondition
        case .toolMissing, .toolFailed, .systemCall, .unreadable, .mountedReadWrite, .verificationFailed: .internalError
        default: .unknown
        }
    }

    package var rpcErrorMessage: String { "\(message) \(nextStep)" }
}
