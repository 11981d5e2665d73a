/// What went wrong on the wire or in using it. Equal when the codes are equal.
///
/// Three kinds (SPEC.md, E-1): our own bug (`misuse`), the peer's fault (`peerFault`, `peerGone`, …), and what is neither,
/// such as a send on a stream that the peer has just reset (`streamClosed`).
package struct WireError: Error, Sendable {
    package struct Code: Hashable, Sendable {
        private enum Wrapped: Hashable, Sendable {
            case misuse, streamClosed, notReady, goingAway, streamLimit, sendQueueFull, tooLarge, invalidHeaders
            case peerFault(ErrorCode), connectionClosed, corruptMessage
        }

        private let wrapped: Wrapped

        /// Our bug: a call that the state of the machine forbids. Nothing was changed.
        package static let misuse = Code(wrapped: .misuse)
        /// The stream has ended meanwhile; an event says how. Nothing was sent.
        package static let streamClosed = Code(wrapped: .streamClosed)
        /// The peer's SETTINGS have not arrived: wait for `Event.ready`.
        package static let notReady = Code(wrapped: .notReady)
        /// One side drains: no new calls on this connection. Open them on another.
        package static let goingAway = Code(wrapped: .goingAway)
        /// The peer takes no more concurrent calls: wait for `Event.streamsAvailable`.
        package static let streamLimit = Code(wrapped: .streamLimit)
        /// More is queued than the limits allow: wait for `Event.writable`.
        package static let sendQueueFull = Code(wrapped: .sendQueueFull)
        /// A message or header block is beyond what the peer accepts (or beyond our own limit, when inflating).
        package static let tooLarge = Code(wrapped: .tooLarge)
        /// Path, key or value with a character that the wire does not carry.
        package static let invalidHeaders = Code(wrapped: .invalidHeaders)
        /// The connection has ended; nothing can be sent or received on it.
        package static let connectionClosed = Code(wrapped: .connectionClosed)
        /// A compressed message does not inflate to exactly one zlib stream.
        package static let corruptMessage = Code(wrapped: .corruptMessage)

        /// The connection was given up, by us or by the peer, with this code.
        package static func peerFault(_ code: ErrorCode) -> Code {
            Code(wrapped: .peerFault(code))
        }

        /// The code of a `peerFault`, nil for every other kind.
        package var errorCode: ErrorCode? {
            if case .peerFault(let code) = wrapped { code } else { nil }
        }
    }

    package let code: Code
    /// What happened, to what, and what it means for the connection or the call.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The gRPC status that a call ends with when this error ended it (E-3).
    package var status: StatusCode {
        switch code {
        case .misuse, .invalidHeaders, .corruptMessage: .internal
        case .streamClosed: .cancelled
        case .notReady, .goingAway, .connectionClosed: .unavailable
        case .streamLimit, .sendQueueFull, .tooLarge: .resourceExhausted
        default: .unavailable
        }
    }
}

extension WireError: Equatable {
    package static func == (left: WireError, right: WireError) -> Bool {
        left.code == right.code
    }
}

extension WireError: CustomStringConvertible {
    package var description: String {
        if let code = code.errorCode { "\(code): \(message)" } else { message }
    }
}
