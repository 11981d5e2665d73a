internal import GRPCCore
internal import SalvorWire
internal import Synchronization

/// Whether messages are compressed on their way out. A peer that does not take compressed messages never gets one.
package enum MessageCompression: Sendable {
    case never
    /// Those that are large enough for it, and come out smaller.
    case worthwhile
}

/// Turns one call's messages into what the wire carries.
final class MessageEncoder: Sendable {
    private let limit: Int?
    private let compression: MessageCompression
    /// Takes its memory with the first message that is worth it.
    private let deflater = Mutex(Deflater())

    init(_ compression: MessageCompression, limit: Int? = nil) {
        self.limit = limit
        self.compression = compression
    }

    func encode(_ bytes: [UInt8]) throws -> Message {
        if let limit, bytes.count > limit {
            throw RPCError(
                code: .resourceExhausted,
                message: "a message of \(bytes.count) bytes is larger than the call's limit of \(limit)")
        }
        switch compression {
        case .never: return Message(bytes)
        case .worthwhile: return deflater.withLock { $0.message(from: bytes) }
        }
    }
}
