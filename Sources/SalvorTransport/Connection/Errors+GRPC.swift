package import GRPCCore
internal import SalvorWire

// What the other layers' errors are in gRPC's terms: the one table.

extension RPCError {
    /// Nothing in a connection's failure says whether the call was begun: `unavailable`, except for what only repeating
    /// makes worse.
    package init(_ error: TransportError) {
        let code: RPCError.Code =
            switch error.code {
            case .wrongCertificateAuthority, .certificateExpired, .certificateNotYetValid, .wrongName, .wrongRun,
                .noCertificate, .badCertificate:
                .unauthenticated
            case .refusedByPeer, .unknownToken, .tokenExpired, .tokenUsed: .permissionDenied
            case .tooManyAttempts: .resourceExhausted
            case .badRequest, .badName: .invalidArgument
            case .cryptography, .keyStore: .internalError
            default: .unavailable
            }
        self.init(code: code, message: error.message, cause: error)
    }

    init(_ error: WireError) {
        self.init(code: RPCError.Code(error.status) ?? .internalError, message: error.message, cause: error)
    }

    /// nil for a stream that ended with a status of its own.
    init?(_ closure: StreamClosure) {
        guard let status = closure.status, let code = RPCError.Code(status) else { return nil }
        let message =
            switch closure {
            case .finished: ""
            case .resetLocally(let code): "this side gave the call up (\(code))"
            case .resetByPeer(let code): "the peer gave the call up (\(code))"
            case .deadlineExceeded: "the call's deadline passed before it was done"
            case .refused: "the peer had not begun the call when it stopped taking calls; it can be repeated"
            case .connectionLost: "the connection ended during the call; how far the peer got is not known"
            }
        self.init(code: code, message: message)
    }
}

extension RPCError.Code {
    fileprivate init?(_ code: StatusCode) {
        guard let code = Status.Code(rawValue: Int(code.rawValue)) else { return nil }
        self.init(code)
    }
}

extension TransportError {
    init(_ error: WireError) {
        let code: Code =
            switch error.code.errorCode {
            case nil: .connectionLost
            case .timeout: .connectionLost
            case .some: .protocolViolation
            }
        self.init(code, error.message, cause: error)
    }
}

extension Status {
    init(_ trailers: Trailers) {
        // A code that gRPC does not define is unknown, never a trap.
        self.init(code: Status.Code(rawValue: Int(trailers.code.rawValue)) ?? .unknown, message: trailers.message)
    }
}

extension Trailers {
    init(_ status: Status, _ metadata: WireMetadata) {
        self.init(code: StatusCode(rawValue: UInt32(status.code.rawValue)), message: status.message, metadata: metadata)
    }
}
