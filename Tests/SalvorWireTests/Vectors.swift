import Foundation
import SalvorWire

/// The golden vectors of Protocol/vectors, and the way from their JSON to frames.
enum Vectors {
    struct Opening: Decodable, Sendable, CustomTestStringConvertibleName {
        var name: String
        var hex: String
        var settings: [String: UInt32]
    }

    struct Valid: Decodable, Sendable, CustomTestStringConvertibleName {
        var name: String
        var sender: String
        var hex: String
        var frame: FrameJSON
    }

    struct Invalid: Decodable, Sendable, CustomTestStringConvertibleName {
        var name: String
        var sender: String
        var hex: String
        var error: String
        var opening: Bool?
    }

    struct FrameJSON: Decodable, Sendable {
        var type: String
        var stream: UInt32?
        var path: String?
        var timeout: UInt64?
        var metadata: [[String]]?
        var code: UInt32?
        var message: String?
        var flags: UInt8?
        var payload: String?
        var increment: UInt32?
        var answer: Bool?
        var opaque: String?
        var last: UInt32?
        var text: String?
    }

    static let openings: [Opening] = load("openings")
    static let valid: [Valid] = load("frames")
    static let invalid: [Invalid] = load("invalid")

    private static func load<Item: Decodable>(_ name: String) -> [Item] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = root.appending(path: "Protocol/vectors/\(name).json")
        do {
            return try JSONDecoder().decode([Item].self, from: Data(contentsOf: file))
        } catch {
            fatalError("\(file.path) cannot be read: \(error)")
        }
    }
}

/// Shows a vector by its name in a test's output.
protocol CustomTestStringConvertibleName: CustomStringConvertible {
    var name: String { get }
}

extension CustomTestStringConvertibleName {
    var description: String { name }
}

/// Bytes from hexadecimal digits.
func bytes(hex: String) -> [UInt8] {
    let digits = Array(hex.utf8)
    return stride(from: 0, to: digits.count, by: 2).compactMap {
        UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
    }
}

/// Hexadecimal digits of bytes.
func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func role(_ name: String) -> Role {
    name == "caller" ? .caller : .callee
}

extension Frame {
    /// The frame that a vector means; nil when the vector is not one of ours.
    init?(_ json: Vectors.FrameJSON) {
        let stream = StreamID(json.stream ?? 0)
        let metadata = WireMetadata(
            (json.metadata ?? []).map { pair in
                let value = pair[1]
                return WireMetadata.Entry(
                    key: pair[0],
                    value: value.hasPrefix("hex:")
                        ? .binary(SalvorWireTests.bytes(hex: String(value.dropFirst(4)))) : .text(value))
            })
        switch json.type {
        case "request":
            let timeout = json.timeout == 0 ? nil : json.timeout
            self = .request(
                stream, RequestHeaders(path: json.path ?? "", timeoutNanoseconds: timeout, metadata: metadata))
        case "response": self = .response(stream, metadata)
        case "trailers":
            let code = StatusCode(rawValue: json.code ?? .max)
            self = .trailers(stream, Trailers(code: code, message: json.message ?? "", metadata: metadata))
        case "message":
            self = .message(
                stream, FrameFlags(rawValue: json.flags ?? 0), SalvorWireTests.bytes(hex: json.payload ?? ""))
        case "reset": self = .reset(stream, ErrorCode(rawValue: json.code ?? .max))
        case "window": self = .window(stream, increment: json.increment ?? 0)
        case "ping":
            let opaque = UInt64(json.opaque ?? "", radix: 16) ?? 0
            self = .ping(isAnswer: json.answer ?? false, opaque: opaque)
        case "goAway":
            self = .goAway(
                GoAway(
                    lastStream: StreamID(json.last ?? .max), code: ErrorCode(rawValue: json.code ?? .max),
                    text: json.text ?? ""))
        default: return nil
        }
    }
}
