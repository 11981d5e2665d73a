internal import GRPCCore
internal import NIOCore
internal import SalvorWire

/// Sends the parts of a request: metadata opens the stream, the end of the request half-closes it.
struct RequestWriter: ClosableRPCWriterProtocol {
    let call: Call
    let path: String
    let encoder: MessageEncoder

    func write(_ part: RPCRequestPart<[UInt8]>) async throws {
        switch part {
        case .metadata(let metadata): try open(metadata)
        case .message(let bytes): try await call.send(try encoder.encode(bytes))
        }
    }

    func write(contentsOf parts: some Sequence<RPCRequestPart<[UInt8]>>) async throws {
        for part in parts { try await write(part) }
    }

    func finish() async { call.halfClose() }

    func finish(throwing error: any Error) async {
        // The reader of the response learns what went wrong on this side, not just that the call was given up.
        call.inbound.finish(
            throwing: error as? RPCError ?? RPCError(code: .unknown, message: "the request failed", cause: error))
        call.reset(.cancelled)
    }

    /// What is longer is as good as none, and would overflow the clock.
    private static let longestTimeout = Duration.seconds(365 * 86_400)

    private func open(_ metadata: Metadata) throws {
        var metadata = metadata
        let timeout = metadata[stringValues: GRPCTimeout.key].first { _ in true }.flatMap(GRPCTimeout.parse)
        metadata.removeAllValues(forKey: GRPCTimeout.key)
        let deadline = timeout.map { NIODeadline.now() + TimeAmount(min($0, Self.longestTimeout)) }
        call.open(path, try WireMetadata(metadata), deadline: deadline)
    }
}
