import SalvorAudit
import SalvorDigest
import Testing

struct HTMLTests {
    @Test("The page is well formed, runs nothing and loads nothing, whatever the names in it")
    func wellFormed() throws {
        let run = try SampleRun()
        try run.rescueFleet()
        try hostileMachines(run)
        let page = try HTMLPage(parsing: try run.report().html())
        #expect(page.elements.isDisjoint(with: ["script", "img", "iframe", "link", "object", "form", "a:external"]))
        #expect(page.elements.isSuperset(of: ["main", "h1", "h2", "table", "th", "dl", "time"]))
        for (name, value) in page.attributes {
            #expect(!name.hasPrefix("on"), "an event handler: \(name)=\(value)")
            #expect(name != "src" && name != "srcset")
            if name == "href" { #expect(value.hasPrefix("#machine-"), "\(value)") }
            if name == "id" { #expect(value.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" }) }
        }
        let ids = page.attributes.filter { $0.name == "id" }.map(\.value)
        #expect(Set(ids).count == ids.count)
        let targets = Set(page.attributes.filter { $0.name == "href" }.map { String($0.value.dropFirst()) })
        #expect(targets.isSubset(of: ids))
        #expect(targets.count == 6 + Hostile.all.count)
    }

    @Test("Hostile text is there to be read, and does nothing")
    func hostileText() throws {
        let run = try SampleRun()
        try hostileMachines(run)
        let html = try run.report().html()
        for scalar in html.unicodeScalars {
            let harmless = scalar == "\n" || scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value)
            #expect(harmless && !["\u{202E}", "\u{2066}", "\u{2028}"].contains(scalar))
        }
        #expect(!html.contains("<script"))
        #expect(html.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&gt;&lt;img"))
        #expect(html.contains("\\u{202E}sys.\\u{2066}exe"))
        #expect(html.contains("\\u{1B}]0;owned\\u{7}\\u{9B}31m"))
    }

    @Test("The page says what a person who was not there has to know")
    func content() throws {
        let run = try SampleRun()
        try run.rescueFleet()
        let text = try HTMLPage(parsing: try run.report().html()).text
        for expected in [
            "1 of 6 machines boots again", "Audit log verified.",
            "ada on bastion ran salvor rescue at 2024-07-19 05:30 UTC.",
            "/srv/vm/web-01.qcow2", "127.0 GiB (136,365,211,648 bytes)", digest("web-01").hex,
            #"\Windows\System32\drivers\CrowdStrike\C-00000291-00000000-00000032.sys"#,
            "2024-07-19 04:09:31.4000001 UTC", "AA AA AA AA 01 00 23 01",
            digest("C-00000291-00000000-00000032.sys").hex,
            "Made /srv/vm/web-01.salvor-k3v9.qcow2 the machine's disk", "ready on \\\\WEB-01 after 1 start",
            "salvor rollback 2024-07-19-k3v9 --machine web-01", "Volume 3 is encrypted with BitLocker.",
            "crowdstrike-291, version 1", "Rescue VMs", "tcg",
        ] {
            #expect(text.contains(expected), "missing: \(expected)")
        }
    }
}

/// A strict reader of the HTML that we write: every element closed in order, every attribute quoted, every bare character
/// legal.
private struct HTMLPage {
    var elements: Set<String> = []
    var attributes: [(name: String, value: String)] = []
    var text = ""

    struct Malformed: Error {
        let what: String
        let near: String
    }

    init(parsing html: String) throws {
        let scalars = Array(html.unicodeScalars)
        var index = 0
        var open: [String] = []
        func near() -> String {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars[max(0, index - 30)..<min(scalars.count, index + 30)])
            return String(view)
        }
        func take(while condition: (Unicode.Scalar) -> Bool) -> String {
            var view = String.UnicodeScalarView()
            while index < scalars.count, condition(scalars[index]) {
                view.append(scalars[index])
                index += 1
            }
            return String(view)
        }
        func expect(_ scalar: Unicode.Scalar) throws {
            guard index < scalars.count, scalars[index] == scalar else {
                throw Malformed(what: "expected \(scalar)", near: near())
            }
            index += 1
        }
        _ = take { $0 != "\n" }
        while index < scalars.count {
            guard scalars[index] == "<" else {
                let run = take { $0 != "<" }
                guard open.last == "style" || !run.unicodeScalars.contains(">") else {
                    throw Malformed(what: "a bare >", near: near())
                }
                text += try Self.unescaped(run)
                continue
            }
            index += 1
            if scalars[index] == "/" {
                index += 1
                let name = take { $0 != ">" }
                guard open.popLast() == name else { throw Malformed(what: "</\(name)> closes another", near: near()) }
                try expect(">")
                continue
            }
            let name = take { $0.properties.isAlphabetic || ("0"..."9").contains($0) }
            guard !name.isEmpty else { throw Malformed(what: "a bare <", near: near()) }
            elements.insert(name)
            while index < scalars.count, scalars[index] == " " {
                index += 1
                let attribute = take { $0.properties.isAlphabetic || $0 == "-" }
                try expect("=")
                try expect("\"")
                attributes.append((attribute, try Self.unescaped(take { $0 != "\"" })))
                try expect("\"")
            }
            try expect(">")
            if !["meta", "br"].contains(name) { open.append(name) }
        }
        guard open.isEmpty else { throw Malformed(what: "never closed: \(open)", near: "") }
    }

    private static func unescaped(_ text: String) throws -> String {
        let escapes: [(String, Unicode.Scalar)] = [
            ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&"),
        ]
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let scalar = rest.first {
            guard scalar == "&" else {
                result.append(rest.removeFirst())
                continue
            }
            guard let (escape, meant) = escapes.first(where: { rest.starts(with: $0.0.unicodeScalars) }) else {
                throw Malformed(what: "a bare &", near: text)
            }
            result.append(meant)
            rest = rest.dropFirst(escape.unicodeScalars.count)
        }
        return String(result)
    }
}
