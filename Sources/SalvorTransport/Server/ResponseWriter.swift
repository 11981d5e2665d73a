internal import GRPCCore
internal import SalvorWire

/// Sends the parts of a response: the status ends the stream.
struct ResponseWriter: ClosableRPCWriterProtocol {
    let call: Call
    let encoder: MessageEncoder

    func write(_ part: RPCResponsePart<[UInt8]>) async throws {
        switch part {
        case .metadata(let metadata): try await call.send(headers: try WireMetadata(metadata))
        case .message(let bytes): try await call.send(try encoder.encode(bytes))
        case .status(let status, let metadata):
            // A status that cannot take its metadata along still has to arrive.
            let wireMetadata = (try? WireMetadata(metadata)) ?? WireMetadata()
            try call.send(trailers: Trailers(status, wireMetadata))
        }
    }

    func write(contentsOf parts: some Sequence<RPCResponsePart<[UInt8]>>) async throws {
        for part in parts { try await write(part) }
    }

    /// A response that ends without a status was given up by its handler.
    func finish() async { call.reset(.internalFailure) }

    func finish(throwing error: any Error) async { call.reset(.internalFailure) }
}
