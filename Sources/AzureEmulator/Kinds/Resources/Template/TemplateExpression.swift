/// An expression of the template language: what stands between `[` and `]`.
indirect enum TemplateExpression {
    case text(String)
    case integer(Int64)
    case call(String, [TemplateExpression])
    case member(TemplateExpression, String)
    case element(TemplateExpression, TemplateExpression)

    /// The longest that Azure takes.
    private static let longest = 24_576
    private static let deepest = 64

    /// - Parameter text: with its brackets.
    init(_ text: String) throws(ARMError) {
        guard text.utf8.count <= Self.longest else { throw .invalidTemplate("an expression is too long") }
        var reader = Reader(rest: Array(text.utf8.dropFirst().dropLast())[...], whole: text)
        self = try reader.expression(depth: 0)
        reader.skipSpace()
        guard reader.rest.isEmpty else { throw reader.failure() }
    }

    /// Whether a text is an expression, and not a text that begins with a bracket.
    static func isExpression(_ text: String) -> Bool {
        text.hasPrefix("[") && text.hasSuffix("]") && !text.hasPrefix("[[")
    }

    /// Every call in it, the outer ones first.
    var calls: [(name: String, arguments: [TemplateExpression])] {
        switch self {
        case .text, .integer: []
        case .call(let name, let arguments): [(name, arguments)] + arguments.flatMap(\.calls)
        case .member(let inner, _): inner.calls
        case .element(let inner, let index): inner.calls + index.calls
        }
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>
        let whole: String

        func failure() -> ARMError {
            .invalidTemplate(
                "the template language expression '\(printable(whole))' is not valid near position "
                    + "\(rest.startIndex + 1)")
        }

        mutating func skipSpace() { rest = rest.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) } }

        private mutating func take(_ byte: UInt8) -> Bool {
            skipSpace()
            guard rest.first == byte else { return false }
            rest = rest.dropFirst()
            return true
        }

        mutating func expression(depth: Int) throws(ARMError) -> TemplateExpression {
            guard depth < TemplateExpression.deepest else {
                throw .invalidTemplate("an expression is nested too deeply")
            }
            var value = try primary(depth: depth)
            while true {
                if take(UInt8(ascii: ".")) {
                    value = .member(value, try name())
                } else if take(UInt8(ascii: "[")) {
                    value = .element(value, try expression(depth: depth + 1))
                    guard take(UInt8(ascii: "]")) else { throw failure() }
                } else {
                    return value
                }
            }
        }

        private mutating func primary(depth: Int) throws(ARMError) -> TemplateExpression {
            skipSpace()
            guard let first = rest.first else { throw failure() }
            if first == UInt8(ascii: "'") { return .text(try literal()) }
            if first == UInt8(ascii: "-") || (0x30...0x39).contains(first) { return .integer(try integer()) }
            var function = try name()
            // A template's own functions have a namespace.
            if rest.first == UInt8(ascii: ".") {
                rest = rest.dropFirst()
                function += "." + (try name())
            }
            guard take(UInt8(ascii: "(")) else { throw failure() }
            var arguments: [TemplateExpression] = []
            if take(UInt8(ascii: ")")) { return .call(function, []) }
            while true {
                arguments.append(try expression(depth: depth + 1))
                if take(UInt8(ascii: ")")) { return .call(function, arguments) }
                guard take(UInt8(ascii: ",")) else { throw failure() }
            }
        }

        private mutating func name() throws(ARMError) -> String {
            skipSpace()
            let name = rest.prefix { $0.isLetterOrDigit || $0 == UInt8(ascii: "_") }
            guard !name.isEmpty else { throw failure() }
            rest = rest.dropFirst(name.count)
            return String(decoding: name, as: UTF8.self)
        }

        private mutating func integer() throws(ARMError) -> Int64 {
            let isNegative = take(UInt8(ascii: "-"))
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            rest = rest.dropFirst(digits.count)
            guard let value = Int64((isNegative ? "-" : "") + String(decoding: digits, as: UTF8.self)) else {
                throw failure()
            }
            return value
        }

        /// A quoted text; a quote in it is written twice.
        private mutating func literal() throws(ARMError) -> String {
            rest = rest.dropFirst()
            var text: [UInt8] = []
            while let byte = rest.popFirst() {
                if byte != UInt8(ascii: "'") {
                    text.append(byte)
                } else if rest.first == UInt8(ascii: "'") {
                    rest = rest.dropFirst()
                    text.append(byte)
                } else {
                    return String(decoding: text, as: UTF8.self)
                }
            }
            throw failure()
        }
    }
}

extension ARMError {
    /// 400 `InvalidTemplate`.
    static func invalidTemplate(_ what: String) -> ARMError {
        ARMError(
            400, "InvalidTemplate",
            "Deployment template validation failed: '\(what). Please see https://aka.ms/arm-syntax for usage details.'."
        )
    }
}
