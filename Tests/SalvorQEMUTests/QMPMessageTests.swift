import SalvorJSON
import Testing

@testable import SalvorQEMU

@Suite("QMP messages")
struct QMPMessageTests {
    @Test("Lines come out whole, however the bytes arrive", arguments: 1...7)
    func dripFed(size: Int) throws {
        let text = "{\"a\":1}\r\n\r\n{\"b\":2}\n{\"c\""
        var reader = QMPLineReader()
        var lines: [String] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            lines += try reader.append(bytes[start..<min(start + size, bytes.count)]).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        #expect(lines == ["{\"a\":1}", "{\"b\":2}"])
    }

    @Test("A line without an end is refused before it fills the memory")
    func endless() throws {
        var reader = QMPLineReader()
        let chunk = [UInt8](repeating: 0x20, count: 1 << 20)
        #expect(throws: QEMUError(.protocolViolation, "")) {
            for _ in 0...4 { _ = try reader.append(chunk) }
        }
    }

    @Test(
        "Every kind of message is told by its members",
        arguments: [
            (
                #"{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": ""}, "capabilities": []}}"#,
                QMPMessage.greeting(version: "7.2.22")
            ),
            (
                #"{"return": {"x": [1, true, null, 1.5]}, "id": 3}"#,
                .returned(id: 3, ["x": [1, true, .null, .number(1.5)]])
            ),
            (
                #"{"id": 4, "error": {"class": "GenericError", "desc": "no"}}"#,
                .refused(id: 4, errorClass: "GenericError", description: "no")
            ),
            (#"{"error": {}}"#, .refused(id: nil, errorClass: "GenericError", description: "no description")),
            (
                #"{"timestamp": {"seconds": 1}, "event": "RESET", "data": {"guest": true}}"#,
                .event(QMPEvent(name: "RESET", data: ["guest": true]))
            ),
            (#"{"event": "STOP"}"#, .event(QMPEvent(name: "STOP", data: [:]))),
        ])
    func kinds(line: String, expected: QMPMessage) throws {
        #expect(try QMPMessage(line: Array(line.utf8)) == expected)
    }

    @Test("What is not QMP is the peer's fault", arguments: ["", "{", "[]", "{}", "3", #"{"return": {}}"#, "\u{0}"])
    func violations(line: String) {
        #expect(throws: QEMUError(.protocolViolation, "")) { try QMPMessage(line: Array(line.utf8)) }
    }

    @Test("JSON survives a round trip, large integers and slashes included")
    func roundTrip() throws {
        let value: JSONValue = ["n": .integer(.max), "s": "a/b\"\n", "l": [.bool(false), .null], "o": [:]]
        #expect(try JSONValue.parse(value.text.utf8) == value)
        #expect(value.text.contains("a/b"))
    }
}
