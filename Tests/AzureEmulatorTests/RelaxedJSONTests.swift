import SalvorJSON
import Testing

@testable import AzureEmulator

@Suite struct RelaxedJSONTests {
    @Test(
        "What Azure's parser takes is read",
        arguments: [
            (#"{"a": [1, -2.5, true, null, "x"]}"#, #"{"a":[1,-2.5,true,null,"x"]}"#),
            ("\u{FEFF}{}", "{}"),
            ("{\"p\": {}, template:{\"$schema\": \"s\"}}", #"{"p":{},"template":{"$schema":"s"}}"#),
            ("// one\n{ /* two */ 'a': 'it\\'s' , }", #"{"a":"it's"}"#), ("[1, 2,]", "[1,2]"),
            (#""\ud83d\ude00 \u00e9 \/ \n""#, "\"\u{1F600} é / \\n\""), ("\"two\nlines\"", #""two\nlines""#),
            ("18446744073709551615", "18446744073709551615"), ("1e3", "1000"), (#"{"a":1,"a":2}"#, #"{"a":2}"#),
        ])
    func good(text: String, expected: String) throws {
        #expect(try RelaxedJSON.parse(Array(text.utf8)).text == expected)
    }

    @Test(
        "What it does not take is refused, with the place",
        arguments: [
            ("", 0), ("{", 1), ("[1 2]", 3), ("{\"a\" 1}", 5), ("{a b: 1}", 3), ("nul", 0), ("0x10", 0), ("inf", 0),
            ("\"open", 5), ("\"\\q\"", 3), ("{} {}", 3), ("/* open", 6), ("[1]]", 3), ("1e999", 0), ("\"\\u12\"", 3),
        ])
    func bad(text: String, position: Int) {
        let error = #expect(throws: RelaxedJSON.Malformed.self) { try RelaxedJSON.parse(Array(text.utf8)) }
        #expect(error?.position == position)
    }

    @Test("Text that is no UTF-8 is refused")
    func notText() {
        #expect(throws: RelaxedJSON.Malformed.self) { try RelaxedJSON.parse([0x22, 0xFF, 0x22]) }
    }

    @Test("A body that is nested without end ends in a refusal")
    func deep() throws {
        #expect(throws: RelaxedJSON.Malformed.self) {
            try RelaxedJSON.parse([UInt8](repeating: UInt8(ascii: "["), count: 100_000))
        }
        let fits = String(repeating: "[", count: 127) + String(repeating: "]", count: 127)
        #expect(try RelaxedJSON.parse(Array(fits.utf8)).text == fits)
    }
}

@Suite struct EnumSpellingTests {
    @Test("Enumerations are taken in any case and shown in Azure's, and nothing else is touched")
    func canonical() {
        let body: JSONValue = [
            "tags": ["osType": "linux"], "name": "linux",
            "properties": ["osType": "linux", "disks": [["createOption": "ATTACH", "caching": "often"]]],
        ]
        #expect(
            EnumSpelling.canonical(body) == [
                "tags": ["osType": "linux"], "name": "linux",
                "properties": ["osType": "Linux", "disks": [["createOption": "Attach", "caching": "often"]]],
            ])
    }
}
