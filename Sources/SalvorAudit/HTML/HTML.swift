/// HTML under construction. Text becomes part of it only through ``text(_:)``, which makes it printable and escapes it:
/// no string of a guest can become markup, and no caller can forget.
struct HTML {
    private(set) var markup: String

    private init(markup: String) { self.markup = markup }

    static let empty = HTML(markup: "")

    static func text(_ text: some StringProtocol) -> HTML { HTML(markup: escaped(printable(text))) }

    /// An attribute whose value is escaped as text is.
    struct Attribute {
        let name: StaticString
        let value: String

        static func `class`(_ value: StaticString) -> Attribute { Attribute(name: "class", value: "\(value)") }
        static func id(_ value: String) -> Attribute { Attribute(name: "id", value: value) }
        static func href(_ value: String) -> Attribute { Attribute(name: "href", value: value) }
        static func style(_ value: String) -> Attribute { Attribute(name: "style", value: value) }
        static func other(_ name: StaticString, _ value: String) -> Attribute { Attribute(name: name, value: value) }
    }

    static func element(
        _ name: StaticString, _ attributes: Attribute..., @HTMLBuilder content: () -> HTML
    ) -> HTML {
        HTML(markup: "<\(name)\(written(attributes))>\(content().markup)</\(name)>")
    }

    /// An element that has no content and no end tag.
    static func void(_ name: StaticString, _ attributes: Attribute...) -> HTML {
        HTML(markup: "<\(name)\(written(attributes))>")
    }

    /// What this program itself wrote: a style sheet.
    static func constant(_ markup: StaticString) -> HTML { HTML(markup: "\(markup)") }

    static func joined(_ parts: [HTML]) -> HTML { HTML(markup: parts.map(\.markup).joined()) }

    private static func written(_ attributes: [Attribute]) -> String {
        attributes.map { " \($0.name)=\"\(escaped(printable($0.value)))\"" }.joined()
    }

    /// By scalar: a quotation mark that a combining mark turned into another character is still a quotation mark to a
    /// browser.
    private static func escaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result.append(contentsOf: "&amp;".unicodeScalars)
            case "<": result.append(contentsOf: "&lt;".unicodeScalars)
            case ">": result.append(contentsOf: "&gt;".unicodeScalars)
            case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
            case "'": result.append(contentsOf: "&#39;".unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}

/// Statements that yield text or elements, one after the other.
@resultBuilder
enum HTMLBuilder {
    static func buildExpression(_ text: String) -> HTML { .text(text) }
    static func buildExpression(_ html: HTML) -> HTML { html }
    static func buildBlock(_ parts: HTML...) -> HTML { .joined(parts) }
    static func buildOptional(_ part: HTML?) -> HTML { part ?? .empty }
    static func buildEither(first: HTML) -> HTML { first }
    static func buildEither(second: HTML) -> HTML { second }
    static func buildArray(_ parts: [HTML]) -> HTML { .joined(parts) }
}
