import Testing

@testable import SalvorAgentCore

struct FileNameTests {
    @Test("A name is shown as it is, or with what is no text escaped, and never like another name")
    func text() throws {
        #expect(try #require(FileName("Größe 1.sys")).text == "Größe 1.sys")
        #expect(
            try #require(FileName(bytes: [0x61, 0xED, 0xA0, 0x80, 0xC3, 0xA4])).text == "a\\xED\\xA0\\x80\\xC3\\xA4")
        #expect(try #require(FileName("a\\xED")).text == "a\\x5CxED")
        #expect(try #require(FileName("a\nb")).text == "a\nb")
    }

    @Test("What is no name in a directory is none here", arguments: ["", ".", "..", "a/b", "a\0b"])
    func noName(text: String) {
        #expect(FileName(text) == nil)
    }

    @Test(
        "Names fold as NTFS folds them: unit by unit, one unit staying one",
        arguments: [
            ("CrowdStrike", "CROWDSTRIKE", true), ("ärger", "ÄRGER", true), ("straße", "STRASSE", false),
            ("σς", "ΣΣ", true), ("ﬁ", "FI", false), ("a", "b", false), ("\u{1F600}", "\u{1F600}", true),
        ])
    func folding(one: String, other: String, isSame: Bool) throws {
        let table = CaseTable.unicode
        #expect((table.fold(one) == table.fold(other)) == isSame)
    }

    @Test("A name with a lone surrogate half matches no name but itself")
    func surrogate() throws {
        let broken = try #require(FileName(bytes: [0x41, 0xED, 0xA0, 0x80]))
        #expect(CaseTable.unicode.fold(broken) != CaseTable.unicode.fold(try #require(FileName("A\u{FFFD}"))))
        #expect(
            CaseTable.unicode.fold(broken)
                == CaseTable.unicode.fold(try #require(FileName(bytes: [0x61, 0xED, 0xA0, 0x80]))))
    }

    @Test(
        "Patterns match whole names, without regard to case",
        arguments: [
            ("C-00000291*.sys", "C-00000291-00000000-00000032.sys", true), ("C-00000291*.sys", "c-00000291.SYS", true),
            ("C-00000291*.sys", "C-00000291-1.sys.bak", false), ("C-00000291*.sys", "XC-00000291-1.sys", false),
            ("C-00000291*.sys", "C-00000290-1.sys", false), ("C-00000291*.sys", "C-00000291-\n.sys", true),
            ("*", "anything", true), ("?", "ab", false), ("?b*", "ab", true), ("*a*b*c", "xxaxxbxxc", true),
            ("*a*b*c", "xxaxxcxxb", false), ("a**b", "ab", true), ("a?c", "aÄc", true), ("a", "a*", false),
        ])
    func patterns(pattern: String, name: String, matches: Bool) throws {
        #expect(NamePattern(pattern).matches(try #require(FileName(name))) == matches)
    }

    @Test("A pattern of many stars against a long name takes no time")
    func manyStars() throws {
        let pattern = String(repeating: "a*", count: 60) + "b"
        #expect(!NamePattern(pattern).matches(try #require(FileName(String(repeating: "a", count: 255)))))
    }
}
