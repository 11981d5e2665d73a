internal import SalvorJSON

/// A policy's rule with its parameters: whether it is true of a resource ("Azure Policy definition structure policy rule").
struct PolicyRule {
    private let rule: JSONValue
    private let parameters: [String: JSONValue]
    /// Deeper rules are taken as not true.
    private static let deepest = 32

    /// - Parameter parameters: by lower-cased name.
    init(_ rule: JSONValue, _ parameters: [String: JSONValue]) {
        self.rule = rule
        self.parameters = parameters
    }

    /// In lower case.
    var effect: String {
        value(rule[member: "then"]?[member: "effect"] ?? "", nil)?.string?.lowercased() ?? ""
    }

    /// - Parameter reasons: what has been found true, for people to read.
    func holds(of subject: PolicySubject, _ reasons: inout [JSONValue]) -> Bool {
        holds(rule[member: "if"] ?? [:], subject, &reasons, depth: 0)
    }

    /// Whether a rule has the parts that every rule has.
    static func isWhole(_ rule: JSONValue) -> Bool {
        rule[member: "if"]?.object != nil && rule[member: "then"]?[member: "effect"]?.string != nil
    }

    private func holds(
        _ condition: JSONValue, _ subject: PolicySubject, _ reasons: inout [JSONValue], depth: Int
    ) -> Bool {
        guard depth < Self.deepest else { return false }
        if let parts = condition[member: "allOf"]?.array {
            return parts.allSatisfy { holds($0, subject, &reasons, depth: depth + 1) }
        }
        if let parts = condition[member: "anyOf"]?.array {
            return parts.contains { holds($0, subject, &reasons, depth: depth + 1) }
        }
        if let inner = condition[member: "not"] {
            var ignored: [JSONValue] = []
            let result = !holds(inner, subject, &ignored, depth: depth + 1)
            if result { reasons.append(["result": "True", "expressionKind": "Not", "operator": "Not"]) }
            return result
        }
        let tested: [JSONValue?]
        let name: String
        if let field = condition[member: "field"].flatMap({ value($0, subject) })?.string {
            name = field
            tested = subject.values(of: field)
        } else if let given = condition[member: "value"] {
            name = given.string ?? ""
            tested = [value(given, subject)]
        } else {
            return false
        }
        let test = condition.object?.first { !["field", "value"].contains($0.key.lowercased()) }
        guard let test, let wanted = value(test.value, subject) else { return false }
        // Of an array's members all have to be so; none is all.
        let result = tested.allSatisfy { Self.holds($0, test.key.lowercased(), wanted, isPlace: name == "location") }
        if result {
            reasons.append([
                "result": "True", "expressionKind": "Field", "expression": .string(name), "path": .string(name),
                "expressionValue": (tested.first ?? nil) ?? .null, "targetValue": wanted,
                "operator": .string(test.key.prefix(1).uppercased() + test.key.dropFirst()),
            ])
        }
        return result
    }

    private static func holds(_ found: JSONValue?, _ test: String, _ wanted: JSONValue, isPlace: Bool) -> Bool {
        func text(_ value: JSONValue?) -> String? {
            let text: String? =
                switch value {
                case .string(let text): text.lowercased()
                case .integer(let number): String(number)
                case .bool(let truth): truth ? "true" : "false"
                default: nil
                }
            return isPlace ? text.map { Locations.plain($0) } : text
        }
        func isOneOf() -> Bool {
            text(found).map { found in (wanted.array ?? []).contains { text($0) == found } } ?? false
        }
        func isLike() -> Bool { text(found).map { Role.matches(text(wanted) ?? "", $0) } ?? false }
        func contains() -> Bool {
            if let items = found?.array { return items.contains { text($0) == text(wanted) } }
            return text(found).map { $0.contains(text(wanted) ?? "") } ?? false
        }
        func hasKey() -> Bool { text(wanted).map { found?[member: $0] != nil } ?? false }
        let exists = found != nil && found != .null
        switch test {
        case "equals": return exists && text(found) == text(wanted)
        case "notequals": return !(exists && text(found) == text(wanted))
        case "in": return isOneOf()
        case "notin": return !isOneOf()
        case "like": return isLike()
        case "notlike": return !isLike()
        case "contains": return contains()
        case "notcontains": return !contains()
        case "containskey": return hasKey()
        case "notcontainskey": return !hasKey()
        case "exists": return exists == (text(wanted) == "true")
        default: return false
        }
    }

    /// A value with its expression: `[parameters('x')]`, `[field('x')]`, `[concat(…)]` of these and of texts.
    private func value(_ value: JSONValue, _ subject: PolicySubject?) -> JSONValue? {
        guard let text = value.string, text.hasPrefix("["), text.hasSuffix("]"), !text.hasPrefix("[[") else {
            return value
        }
        var rest = text.dropFirst().dropLast()[...]
        return expression(&rest, subject)
    }

    private func expression(_ rest: inout Substring, _ subject: PolicySubject?) -> JSONValue? {
        rest = rest.drop { $0 == " " }
        if rest.first == "'" {
            let text = rest.dropFirst().prefix { $0 != "'" }
            rest = rest.dropFirst(text.count + 2)
            return .string(String(text))
        }
        let name = rest.prefix { $0.isLetter }
        rest = rest.dropFirst(name.count)
        guard rest.popFirst() == "(" else { return nil }
        var arguments: [JSONValue] = []
        while true {
            rest = rest.drop { $0 == " " || $0 == "," }
            guard let next = rest.first else { return nil }
            if next == ")" {
                rest = rest.dropFirst()
                break
            }
            guard let argument = expression(&rest, subject) else { return nil }
            arguments.append(argument)
        }
        let first = arguments.first?.string ?? ""
        switch name.lowercased() {
        case "parameters": return parameters[first.lowercased()]
        case "field": return subject?.values(of: first).first ?? nil
        case "concat": return .string(arguments.compactMap(\.string).joined())
        default: return nil
        }
    }
}
