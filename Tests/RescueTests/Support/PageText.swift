import Fixtures

/// The text of a page of HTML each of whose elements is closed, and in the right order.
struct PageText {
    let text: String

    init(_ html: String) throws {
        guard html.hasPrefix("<!DOCTYPE html>") else { throw FixtureError("the page does not begin as HTML does") }
        var text = ""
        var open: [Substring] = []
        for piece in html.drop(while: { $0 != ">" }).dropFirst().split(separator: "<") {
            guard let end = piece.firstIndex(of: ">") else {
                if open.isEmpty, piece.allSatisfy(\.isWhitespace) { continue }
                throw FixtureError("not a tag: <\(piece.prefix(80))")
            }
            let tag = piece[..<end]
            let name = tag.prefix { $0 != " " }
            if name.hasPrefix("/") {
                guard open.popLast() == name.dropFirst() else { throw FixtureError("<\(tag)> closes another element") }
            } else if !["meta", "br"].contains(name) {
                open.append(name)
            }
            if open.last != "style" { text += piece[end...].dropFirst() }
        }
        guard open.isEmpty else { throw FixtureError("never closed: \(open)") }
        self.text = text
    }
}
