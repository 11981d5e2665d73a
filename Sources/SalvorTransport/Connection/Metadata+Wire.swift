internal import GRPCCore
internal import SalvorWire

extension Metadata {
    init(_ metadata: WireMetadata) {
        self.init(
            metadata.entries.map { entry in
                switch entry.value {
                case .text(let text): (entry.key, .string(text))
                case .binary(let bytes): (entry.key, .binary(bytes))
                }
            })
    }
}

extension WireMetadata {
    /// gRPC's keys are equal in any case; on the wire they are in lower case.
    /// - Throws: `invalidArgument` for a `-bin` key with text that is not base64.
    init(_ metadata: Metadata) throws {
        self.init()
        for (key, value) in metadata {
            let key = key.lowercased()
            switch value {
            case .binary(let bytes): append(key, binary: bytes)
            case .string(let text) where key.hasSuffix("-bin"):
                // gRPC lets binary values be given as base64, too.
                let decoded = Metadata([(key, .string(text))])[binaryValues: key].first { _ in true }
                guard let decoded else {
                    throw RPCError(code: .invalidArgument, message: "metadata \(key) is neither bytes nor base64")
                }
                append(key, binary: decoded)
            case .string(let text): append(key, text)
            }
        }
    }
}

/// The deadline that GRPCCore puts into a request's metadata. On this wire it has a field of its own.
enum GRPCTimeout {
    static let key = "grpc-timeout"

    /// gRPC's own notation: at most eight digits and a unit.
    static func parse(_ text: String) -> Duration? {
        guard (2...9).contains(text.utf8.count), let amount = Int64(text.dropLast()), amount >= 0, let unit = text.last
        else { return nil }
        return switch unit {
        case "H": .seconds(amount * 3600)
        case "M": .seconds(amount * 60)
        case "S": .seconds(amount)
        case "m": .milliseconds(amount)
        case "u": .microseconds(amount)
        case "n": .nanoseconds(amount)
        default: nil
        }
    }
}
