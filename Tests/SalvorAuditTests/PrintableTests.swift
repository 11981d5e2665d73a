import SalvorAudit
import Testing

struct PrintableTests {
    @Test(
        "What cannot be seen, or disturbs what is around it, is written as an escape",
        arguments: [
            ("C-00000291.sys", "C-00000291.sys"), ("Ünïcode 名前 😀", "Ünïcode 名前 😀"), ("a\nb", "a\\u{A}b"),
            ("\u{1B}[31m", "\\u{1B}[31m"), ("\u{9B}31m", "\\u{9B}31m"), ("\u{7F}", "\\u{7F}"),
            ("\u{202E}sys.exe", "\\u{202E}sys.exe"), ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"),
            ("a\u{200B}b", "a\\u{200B}b"), ("\u{FEFF}", "\\u{FEFF}"), ("\u{A0}", "\\u{A0}"), ("\u{3000}", "\\u{3000}"),
            ("\u{2028}", "\\u{2028}"), ("\u{E0041}", "\\u{E0041}"), ("\u{E000}", "\\u{E000}"),
            ("\u{FE0F}", "\\u{FE0F}"),
            ("\u{3164}", "\\u{3164}"), ("\u{301}e\u{301}", "\\u{301}e\u{301}"), ("\0", "\\u{0}"),
        ])
    func escapes(text: String, expected: String) {
        #expect(printable(text).unicodeScalars.elementsEqual(expected.unicodeScalars))
        #expect(printable(printable(text)) == printable(text), "printing twice changes nothing more")
    }

    @Test("A backslash within one name does not make it look like two")
    func paths() {
        #expect(GuestPath(["Windows", "System32"]).display == "\\Windows\\System32")
        #expect(GuestPath(["Windows\\System32"]).display == "\\Windows\\u{5C}System32")
        #expect(GuestPath(["a\\\u{301}b"]).display == "\\a\\u{5C}\\u{301}b")
        #expect(GuestPath(["a\nb"]).display == "\\a\\u{A}b")
        #expect(GuestPath([]).display.isEmpty)
    }
}
