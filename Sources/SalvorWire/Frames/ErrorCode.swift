/// Why a stream was reset or a connection given up: the code in RESET and GOAWAY (SPEC.md, section 9).
/// Open: a code that this version does not know keeps its number and counts as `unknown` towards gRPC.
package struct ErrorCode: Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Nothing is wrong: the GOAWAY of a drain.
    package static let none = ErrorCode(rawValue: 0)
    /// The peer broke a rule of SPEC.md.
    package static let protocolViolation = ErrorCode(rawValue: 1)
    /// The sender failed by itself.
    package static let internalFailure = ErrorCode(rawValue: 2)
    /// More was sent than a window allowed, or a window grew beyond 2³¹−1.
    package static let flowControl = ErrorCode(rawValue: 3)
    /// The length of a frame is not one that its type or the receiver's limits allow.
    package static let frameSize = ErrorCode(rawValue: 4)
    /// The call was not begun and is safe to repeat.
    package static let refused = ErrorCode(rawValue: 5)
    /// The caller no longer wants the call.
    package static let cancelled = ErrorCode(rawValue: 6)
    /// The call's deadline has passed.
    package static let deadlineExceeded = ErrorCode(rawValue: 7)
    /// A message, or what waits to be read, is beyond the receiver's limit.
    package static let tooLarge = ErrorCode(rawValue: 8)
    /// A compressed message is not what it should be.
    package static let compression = ErrorCode(rawValue: 9)
    /// A message is compressed in a way that the receiver did not offer.
    package static let unsupported = ErrorCode(rawValue: 10)
    /// The peer does too much of something that is allowed in moderation.
    package static let excessive = ErrorCode(rawValue: 11)
    /// The peer was silent for too long.
    package static let timeout = ErrorCode(rawValue: 12)
    /// The peer speaks a version of the protocol that the sender does not.
    package static let version = ErrorCode(rawValue: 13)

    /// The gRPC status that a call ends with when this code ended it (E-3).
    package var status: StatusCode {
        switch self {
        case .protocolViolation, .internalFailure, .flowControl, .frameSize, .compression: .internal
        case .none, .refused, .timeout, .version: .unavailable
        case .cancelled: .cancelled
        case .deadlineExceeded: .deadlineExceeded
        case .tooLarge, .excessive: .resourceExhausted
        case .unsupported: .unimplemented
        default: .unknown
        }
    }
}

extension ErrorCode: CustomStringConvertible {
    package var description: String {
        switch self {
        case .none: "NONE"
        case .protocolViolation: "PROTOCOL"
        case .internalFailure: "INTERNAL"
        case .flowControl: "FLOW_CONTROL"
        case .frameSize: "FRAME_SIZE"
        case .refused: "REFUSED"
        case .cancelled: "CANCELLED"
        case .deadlineExceeded: "DEADLINE"
        case .tooLarge: "TOO_LARGE"
        case .compression: "COMPRESSION"
        case .unsupported: "UNSUPPORTED"
        case .excessive: "EXCESSIVE"
        case .timeout: "TIMEOUT"
        case .version: "VERSION"
        default: "error code \(rawValue)"
        }
    }
}
