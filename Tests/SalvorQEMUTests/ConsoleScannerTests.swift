import Testing

@testable import SalvorQEMU

@Suite("Console scanner")
struct ConsoleScannerTests {
    @Test(
        "A guest's control characters and escape sequences do not get through",
        arguments: [
            ("\u{1B}[2J\u{1B}[1;31mred\u{1B}[0m\r\n", "red"),
            ("a\tb\u{7}\u{8}\n", "a b"),
            ("\u{1B}]0;title\u{7}x\n", "0;titlex"),
            ("half\u{1B}[3\n", "half"),
            ("grün\n", "grün"),
        ])
    func printable(input: String, expected: String) {
        var scanner = ConsoleScanner()
        #expect(scanner.append(Array(input.utf8)) == [expected])
    }

    @Test("A line that never ends is cut, so that memory stays bounded")
    func bounded() {
        var scanner = ConsoleScanner()
        let lines = scanner.append([UInt8](repeating: 0x41, count: 10_000))
        #expect(lines.map(\.count) == [4096, 4096])
        #expect(scanner.partial.count == 10_000 - 8192)
    }

    @Test("A prompt can be seen before its line ends")
    func partial() {
        var scanner = ConsoleScanner()
        #expect(scanner.append(Array("one\nlogin: ".utf8)) == ["one"])
        #expect(scanner.partial == "login: ")
        #expect(scanner.append(Array("root\n".utf8)) == ["login: root"])
        #expect(scanner.partial.isEmpty)
    }
}
