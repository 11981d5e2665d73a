internal import SalvorJSON

/// Functions of the template language on arrays and objects.
extension TemplateCall {
    func collection() throws(ARMError) -> JSONValue? {
        switch name.lowercased() {
        case "createarray": return .array(arguments)
        case "array":
            let value = try value(0)
            return .array(value.array ?? [value])
        case "createobject": return try object()
        case "contains": return .bool(try contains())
        case "empty":
            return switch try value(0) {
            case .null: true
            case .string(let text): .bool(text.isEmpty)
            case .array(let items): .bool(items.isEmpty)
            case .object(let members): .bool(members.isEmpty)
            default: throw failure
            }
        case "length":
            return switch try value(0) {
            case .string(let text): .integer(Int64(text.count))
            case .array(let items): .integer(Int64(items.count))
            case .object(let members): .integer(Int64(members.count))
            default: throw failure
            }
        case "first", "last":
            let isFirst = name.lowercased() == "first"
            switch try value(0) {
            case .string(let text): return .string((isFirst ? text.first : text.last).map { String($0) } ?? "")
            case .array(let items): return (isFirst ? items.first : items.last) ?? .null
            default: throw failure
            }
        case "skip", "take": return try part()
        case "union": return try union()
        case "intersection": return try intersection()
        case "flatten":
            guard let items = try value(0).array else { throw failure }
            return .array(items.flatMap { $0.array ?? [$0] })
        case "items":
            guard let members = try value(0).object else { throw failure }
            return .array(members.sorted { $0.key < $1.key }.map { ["key": .string($0.key), "value": $0.value] })
        case "objectkeys":
            guard let members = try value(0).object else { throw failure }
            return .array(members.keys.sorted().map { .string($0) })
        case "shallowmerge":
            guard let parts = try value(0).array else { throw failure }
            return .object(parts.reduce(into: [:]) { $0.merge($1.object ?? [:]) { $1 } })
        case "tryget": return try tryGet()
        default: return nil
        }
    }

    private func object() throws(ARMError) -> JSONValue {
        guard arguments.count.isMultiple(of: 2) else { throw failure }
        var members: [String: JSONValue] = [:]
        for index in stride(from: 0, to: arguments.count, by: 2) {
            members[try text(index)] = arguments[index + 1]
        }
        return .object(members)
    }

    private func contains() throws(ARMError) -> Bool {
        try expect(2...2)
        switch arguments[0] {
        case .array(let items): return items.contains(arguments[1])
        case .object(let members):
            let name = try text(1).lowercased()
            return members.keys.contains { $0.lowercased() == name }
        case .string(let text): return text.contains(Self.text(of: arguments[1]))
        default: throw failure
        }
    }

    private func part() throws(ARMError) -> JSONValue {
        let count = Int(clamping: max(0, try integer(1)))
        let isSkip = name.lowercased() == "skip"
        switch try value(0) {
        case .string(let text): return .string(String(isSkip ? text.dropFirst(count) : text.prefix(count)))
        case .array(let items): return .array(Array(isSkip ? items.dropFirst(count) : items.prefix(count)))
        default: throw failure
        }
    }

    private func union() throws(ARMError) -> JSONValue {
        guard let first = arguments.first else { throw failure }
        if case .array = first {
            var result: [JSONValue] = []
            for item in arguments.flatMap({ $0.array ?? [] }) where !result.contains(item) { result.append(item) }
            return .array(result)
        }
        guard arguments.allSatisfy({ $0.object != nil }) else { throw failure }
        return arguments.dropFirst().reduce(first, Self.merged)
    }

    /// Objects are merged as deep as they go; null is a value like others.
    private static func merged(_ one: JSONValue, _ other: JSONValue) -> JSONValue {
        guard case .object(let members) = one, case .object(let more) = other else { return other }
        return .object(members.merging(more, uniquingKeysWith: merged))
    }

    private func intersection() throws(ARMError) -> JSONValue {
        guard let first = arguments.first else { throw failure }
        switch first {
        case .array(let items):
            let others = arguments.dropFirst().map { $0.array ?? [] }
            return .array(items.filter { item in others.allSatisfy { $0.contains(item) } })
        case .object(let members):
            let others = arguments.dropFirst().map { $0.object ?? [:] }
            return .object(members.filter { member in others.allSatisfy { $0[member.key] == member.value } })
        default: throw failure
        }
    }

    private func tryGet() throws(ARMError) -> JSONValue {
        var value = try value(0)
        for key in arguments.dropFirst() {
            if let name = key.string {
                value = value[member: name] ?? .null
            } else if let number = key.integer, let items = value.array, items.indices.contains(Int(clamping: number)) {
                value = items[Int(number)]
            } else {
                value = .null
            }
        }
        return value
    }
}
