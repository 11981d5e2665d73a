internal import SalvorJSON

/// The template language's expressions, as far as deployments that clients send by themselves use them:
/// `[parameters('x')]`, `[variables('x')]`, `[concat(…)]`, `[resourceId(…)]`, `[resourceGroup().location]`,
/// `[subscription().subscriptionId]`.
struct TemplateExpression {
    let parameters: [String: JSONValue]
    let variables: [String: JSONValue]
    let group: ResourceID
    let location: String

    /// A value with all expressions in it replaced, and what is null taken away.
    func evaluate(_ value: JSONValue) throws(ARMError) -> JSONValue {
        switch value {
        case .string(let text) where text.hasPrefix("[["): return .string(String(text.dropFirst()))
        case .string(let text) where text.hasPrefix("[") && text.hasSuffix("]"):
            var rest = text.dropFirst().dropLast()[...]
            let result = try parse(&rest)
            guard rest.allSatisfy({ $0 == " " }) else { throw Self.invalid(text) }
            return result
        case .array(let items):
            var result: [JSONValue] = []
            for item in items { result.append(try evaluate(item)) }
            return .array(result)
        case .object(let members):
            var result: [String: JSONValue] = [:]
            for (name, member) in members where member != .null {
                let value = try evaluate(member)
                if value != .null { result[name] = value }
            }
            return .object(result)
        default: return value
        }
    }

    private func parse(_ rest: inout Substring) throws(ARMError) -> JSONValue {
        rest = rest.drop { $0 == " " }
        if rest.first == "'" { return .string(try literal(&rest)) }
        if let first = rest.first, first.isNumber {
            let digits = rest.prefix { $0.isNumber }
            rest = rest.dropFirst(digits.count)
            return .integer(Int64(digits) ?? 0)
        }
        let name = rest.prefix { $0.isLetter || $0.isNumber }
        rest = rest.dropFirst(name.count)
        guard rest.first == "(" else { throw Self.invalid(String(name)) }
        rest = rest.dropFirst()
        var arguments: [JSONValue] = []
        while true {
            rest = rest.drop { $0 == " " || $0 == "," }
            guard let next = rest.first else { throw Self.invalid(String(name)) }
            if next == ")" {
                rest = rest.dropFirst()
                break
            }
            arguments.append(try parse(&rest))
        }
        var value = try call(name.lowercased(), arguments)
        while rest.first == "." {
            let member = rest.dropFirst().prefix { $0.isLetter || $0.isNumber }
            rest = rest.dropFirst(member.count + 1)
            value = value[member: String(member)] ?? .null
        }
        return value
    }

    /// A quoted text; a quote in it is written twice.
    private func literal(_ rest: inout Substring) throws(ARMError) -> String {
        rest = rest.dropFirst()
        var text = ""
        while let character = rest.popFirst() {
            if character != "'" {
                text.append(character)
            } else if rest.first == "'" {
                rest = rest.dropFirst()
                text.append("'")
            } else {
                return text
            }
        }
        throw Self.invalid(text)
    }

    private func call(_ name: String, _ arguments: [JSONValue]) throws(ARMError) -> JSONValue {
        let texts = arguments.map { $0.string ?? $0.integer.map { String($0) } ?? "" }
        switch name {
        case "parameters":
            guard let value = parameters[texts.first?.lowercased() ?? ""] else {
                throw ARMError(
                    400, "InvalidTemplate",
                    "Unable to process template language expressions: the template parameter '\(printable(texts.first ?? ""))' is "
                        + "not found.")
            }
            return value
        case "variables": return try evaluate(variables[texts.first?.lowercased() ?? ""] ?? .null)
        case "concat": return .string(texts.joined())
        case "tolower": return .string(texts.joined().lowercased())
        case "resourceid":
            guard let type = texts.first, texts.count >= 2 else { throw Self.invalid("resourceId") }
            let parts = type.split(separator: "/").map(String.init)
            guard parts.count == texts.count else { throw Self.invalid("resourceId") }
            return .string(
                ResourceID(
                    subscription: group.subscription, resourceGroup: group.resourceGroup, namespace: parts[0],
                    types: Array(parts.dropFirst()), names: Array(texts.dropFirst())
                ).description)
        case "resourcegroup":
            return ["location": .string(location), "name": .string(group.name), "id": .string(group.description)]
        case "subscription":
            return [
                "subscriptionId": .string(group.subscription), "id": .string("/subscriptions/\(group.subscription)"),
            ]
        default: throw Self.invalid(name)
        }
    }

    private static func invalid(_ text: String) -> ARMError {
        ARMError(
            400, "InvalidTemplate",
            "Unable to process template language expressions: '\(printable(text))' is no expression that is known here."
        )
    }
}
