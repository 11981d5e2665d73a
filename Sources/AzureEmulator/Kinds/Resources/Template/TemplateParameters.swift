internal import SalvorJSON

/// The values of a template's parameters, checked against what the template says of them.
struct TemplateParameters {
    /// By lower-cased name.
    private(set) var values: [String: JSONValue] = [:]
    /// As a deployment shows them: secrets without their values.
    private(set) var shown: [String: JSONValue] = [:]

    private static let types = [
        "string": "String", "securestring": "SecureString", "int": "Int", "bool": "Bool", "object": "Object",
        "secureobject": "SecureObject", "array": "Array",
    ]

    /// - Throws: `InvalidTemplate` for values that are missing, unknown, or not what the template allows.
    init(_ given: JSONValue?, in scope: TemplateScope) throws(ARMError) {
        let declared = scope.template[member: "parameters"]?.object ?? [:]
        let names = Dictionary(declared.keys.map { ($0.lowercased(), $0) }) { $1 }
        let given = Dictionary((given?.object ?? [:]).map { ($0.key.lowercased(), $0.value) }) { $1 }
        if let unknown = given.keys.sorted().first(where: { names[$0] == nil }) {
            throw .invalidTemplate(
                "the template parameters '\(printable(unknown))' in the parameters file are not valid; they are not present in "
                    + "the original template and can therefore not be provided at deployment time. The only supported "
                    + "parameters for this template are '\(declared.keys.sorted().map(printable).joined(separator: ", "))'"
            )
        }
        var pending = declared.sorted { $0.key < $1.key }
        // Defaults may name other parameters, in any order.
        while !pending.isEmpty {
            let before = pending.count
            var failure: ARMError?
            var left: [(key: String, value: JSONValue)] = []
            for (name, declaration) in pending {
                do throws(ARMError) {
                    let value = try value(of: name, declaration, given[name.lowercased()], scope)
                    try Self.check(name, declaration, value)
                    values[name.lowercased()] = value
                    show(name, declaration, value)
                } catch  where error.target == "parameters" {
                    failure = error
                    left.append((name, declaration))
                }
            }
            if left.count == before, let failure { throw failure }
            pending = left
        }
    }

    private func value(
        of name: String, _ declaration: JSONValue, _ given: JSONValue?, _ scope: TemplateScope
    ) throws(ARMError) -> JSONValue {
        if let given {
            guard given[member: "reference"] == nil else {
                throw ARMError(
                    400, "FeatureNotSupported",
                    "The parameter '\(printable(name))' refers to a key vault, which this emulator does not support.")
            }
            if let value = given[member: "value"] { return value }
        }
        guard let standard = declaration[member: "defaultValue"] else {
            if declaration[member: "nullable"]?.bool == true { return .null }
            throw .invalidTemplate("the value for the template parameter '\(printable(name))' is not provided")
        }
        var scope = scope
        scope.parameters = values
        scope.isDefault = true
        return try scope.evaluate(standard)
    }

    private mutating func show(_ name: String, _ declaration: JSONValue, _ value: JSONValue) {
        let type = declaration[member: "type"]?.string?.lowercased() ?? ""
        var json: JSONValue = ["type": .string(Self.types[type] ?? "")]
        if !type.hasPrefix("secure") { json[path: "value"] = value }
        shown[name] = json
    }

    private static func check(_ name: String, _ declaration: JSONValue, _ value: JSONValue) throws(ARMError) {
        let type = declaration[member: "type"]?.string?.lowercased() ?? ""
        guard types[type] != nil else {
            throw .invalidTemplate("the type '\(printable(type))' of the parameter '\(printable(name))' is not valid")
        }
        if value == .null, declaration[member: "nullable"]?.bool == true { return }
        let fits: Bool
        var size: Int64?
        switch (type, value) {
        case ("string", .string(let text)), ("securestring", .string(let text)):
            fits = true
            size = Int64(text.count)
        case ("int", .integer), ("bool", .bool), ("object", .object), ("secureobject", .object): fits = true
        case ("array", .array(let items)):
            fits = true
            size = Int64(items.count)
        default: fits = false
        }
        guard fits else {
            throw .invalidTemplate(
                "the provided value for the template parameter '\(printable(name))' is not valid: expected a value of type "
                    + "'\(types[type] ?? "")'")
        }
        if let allowed = declaration[member: "allowedValues"]?.array {
            let isAllowed = allowed.contains(value) || (value.array?.allSatisfy(allowed.contains) ?? false)
            guard isAllowed else {
                throw .invalidTemplate(
                    "the provided value for the template parameter '\(printable(name))' is not valid: it is not part of the "
                        + "allowed value(s): '\(allowed.map { printable(TemplateCall.text(of: $0)) }.joined(separator: ","))'"
                )
            }
        }
        for (least, most, number) in [
            ("minLength", "maxLength", size), ("minValue", "maxValue", value.integer),
        ] {
            guard let number else { continue }
            guard number >= declaration[member: least]?.integer ?? .min,
                number <= declaration[member: most]?.integer ?? .max
            else {
                throw .invalidTemplate(
                    "the provided value for the template parameter '\(printable(name))' is not valid: it is out of the range "
                        + "of \(least) and \(most)")
            }
        }
    }
}
