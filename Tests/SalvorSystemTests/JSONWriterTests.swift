import Foundation
import SalvorJSON
import Testing

@Suite struct JSONWriterTests {
    private func encoded(_ value: JSONValue) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    @Test(
        "Text is what Foundation's encoder makes of it",
        arguments: [
            .null, true, false, 0, -1, .integer(.min), .integer(.max), .unsigned(.max), .number(0.5), .number(1),
            .number(-2.25e-7), .number(1e300), .number(123456789.125), "", "a/b", "\"\\\u{8}\u{c}\n\r\t",
            "\u{1}\u{1f}\u{7f}",
            "é ö 漢 \u{1F600} \u{2028}", [], [1, [2], []], [:],
            ["b": 1, "a": 2, "B": 3, "A": 4, "a10": 5, "a2": 6, "a.b": 7, "é": 8, "": 9, "_": 10, "1": 11],
            ["nested": ["z": [["y": nil as JSONValue? ?? .null]]]],
        ] as [JSONValue])
    func same(value: JSONValue) throws {
        #expect(value.text == (try encoded(value)))
        // A whole number comes back as an integer.
        #expect(try JSONValue.parse(value.utf8).text == value.text)
    }

    @Test("What JSON cannot hold is null")
    func notNumbers() {
        #expect(JSONValue.array([.number(.nan), .number(.infinity)]).text == "[null,null]")
    }
}
