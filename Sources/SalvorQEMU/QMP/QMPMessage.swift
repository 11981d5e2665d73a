package import SalvorJSON

/// Something that QEMU tells unasked: `SHUTDOWN`, `RESET`, `DEVICE_DELETED`, ….
package struct QMPEvent: Hashable, Sendable {
    package var name: String
    package var data: JSONValue

    package init(name: String, data: JSONValue) {
        self.name = name
        self.data = data
    }
}

/// One line from the server.
enum QMPMessage: Hashable {
    case greeting(version: String)
    case returned(id: Int64, JSONValue)
    /// A refusal; without an id when QEMU could not read which command it was.
    case refused(id: Int64?, errorClass: String, description: String)
    case event(QMPEvent)

    init(line: [UInt8]) throws(QEMUError) {
        let value: JSONValue
        do {
            value = try JSONValue.parse(line)
        } catch {
            throw QEMUError(
                .protocolViolation,
                "The control socket sent what is not JSON: \(String(decoding: line.prefix(80), as: UTF8.self))",
                cause: error)
        }
        if let name = value["event"]?.string {
            self = .event(QMPEvent(name: name, data: value["data"] ?? .object([:])))
        } else if let result = value["return"], let id = value["id"]?.integer {
            self = .returned(id: id, result)
        } else if let error = value["error"] {
            self = .refused(
                id: value["id"]?.integer, errorClass: error["class"]?.string ?? "GenericError",
                description: error["desc"]?.string ?? "no description")
        } else if let version = value["QMP"]?["version"]?["qemu"] {
            let parts = ["major", "minor", "micro"].map { version[$0]?.integer.map(String.init) ?? "?" }
            self = .greeting(version: parts.joined(separator: "."))
        } else {
            throw QEMUError(.protocolViolation, "The control socket sent what is not QMP: \(value.text.prefix(80))")
        }
    }
}

/// Bytes in, lines out; holds no more than one line of bounded length.
struct QMPLineReader {
    /// Replies to the commands that are used here are far below this.
    static let longestLine = 4 << 20
    private var rest: [UInt8] = []

    mutating func append(_ bytes: some Sequence<UInt8>) throws(QEMUError) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                if rest.last == UInt8(ascii: "\r") { rest.removeLast() }
                if !rest.isEmpty { lines.append(rest) }
                rest.removeAll(keepingCapacity: true)
            } else {
                guard rest.count < Self.longestLine else {
                    throw QEMUError(
                        .protocolViolation, "The control socket sent a line beyond \(Self.longestLine) bytes.")
                }
                rest.append(byte)
            }
        }
        return lines
    }
}
