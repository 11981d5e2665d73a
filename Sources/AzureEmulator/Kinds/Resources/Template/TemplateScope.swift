internal import SalvorJSON

/// Where expressions of a template are evaluated: its parameters and variables, its loops, and what it is deployed into.
struct TemplateScope {
    /// One turn of a `copy` loop.
    struct Turn: Equatable {
        let name: String
        let index: Int64

        var json: JSONValue { ["name": .string(name), "index": .integer(index)] }

        init(name: String, index: Int64) {
            self.name = name
            self.index = index
        }

        init?(_ json: JSONValue) {
            guard let name = json["name"]?.string, let index = json["index"]?.integer else { return nil }
            self.name = name
            self.index = index
        }
    }

    /// What a template is deployed into.
    struct Place {
        /// A group or a subscription.
        let scope: ResourceID
        /// Of the group, or of a deployment into a subscription.
        let location: String
        let tags: JSONValue
        let tenant: String
        let deployment: String
        let now: EmulatorTime
        let makeID: @Sendable () -> String
    }

    /// Finds what `reference` names; nil while the template is planned, when nothing is there yet.
    typealias Lookup = (ResourceID, _ isFull: Bool) throws(ARMError) -> JSONValue

    let template: JSONValue
    let place: Place
    /// Values by lower-cased name.
    var parameters: [String: JSONValue] = [:]
    var lookup: Lookup?
    /// Ids of resources by their symbolic names.
    var symbols: [String: ResourceID] = [:]
    var turns: [Turn] = []
    /// Variables of the functions that are being called.
    var lambdas: [String: JSONValue] = [:]
    /// How deep variables and functions are in each other.
    var depth = 0
    /// Whether this is a parameter's default, where alone a few functions are allowed.
    var isDefault = false

    /// What is left of what one template may cost, for all who evaluate it.
    let budget: TemplateBudget

    private static let deepest = 48

    /// What is thrown for a value that is only known when other resources are there.
    static let late = ARMError(
        400, "InvalidTemplate", "The template function 'reference' is not expected at this location.")

    init(template: JSONValue, place: Place, budget: TemplateBudget = TemplateBudget()) {
        self.template = template
        self.place = place
        self.budget = budget
    }

    /// A value with all expressions in it replaced.
    func evaluate(_ value: JSONValue) throws(ARMError) -> JSONValue {
        try budget.spend(1)
        switch value {
        case .string(let text) where TemplateExpression.isExpression(text):
            return try evaluate(try TemplateExpression(text))
        case .string(let text) where text.hasPrefix("[["): return .string(String(text.dropFirst()))
        case .array(let items):
            var result: [JSONValue] = []
            for item in items { result.append(try evaluate(item)) }
            return .array(result)
        case .object(let members):
            var result: [String: JSONValue] = [:]
            for (name, member) in members {
                if name.lowercased() == "copy", let loops = member.array, Self.areLoops(loops) {
                    for loop in loops { result[loop["name"]?.string ?? ""] = .array(try repeated(loop)) }
                    continue
                }
                let key = TemplateExpression.isExpression(name) ? try evaluate(.string(name)).string ?? name : name
                result[key] = try evaluate(member)
            }
            return .object(result)
        default: return value
        }
    }

    private static func areLoops(_ loops: [JSONValue]) -> Bool {
        loops.allSatisfy { $0["name"]?.string != nil && $0["count"] != nil && $0["input"] != nil }
    }

    /// The values of a loop over a property, a variable or an output.
    func repeated(_ loop: JSONValue) throws(ARMError) -> [JSONValue] {
        var result: [JSONValue] = []
        for index in 0..<(try count(loop[member: "count"] ?? .null)) {
            var inner = self
            inner.turns.append(Turn(name: loop["name"]?.string ?? "", index: index))
            result.append(try inner.evaluate(loop[member: "input"] ?? .null))
        }
        return result
    }

    /// - Throws: for a number of turns that Azure does not take.
    func count(_ value: JSONValue) throws(ARMError) -> Int64 {
        guard let count = try evaluate(value).integer, (0...800).contains(count) else {
            throw .invalidTemplate("the count of a copy loop is not a number from 0 to 800")
        }
        return count
    }

    func evaluate(_ expression: TemplateExpression) throws(ARMError) -> JSONValue {
        let value = try value(of: expression)
        try budget.spend(for: value)
        return value
    }

    private func value(of expression: TemplateExpression) throws(ARMError) -> JSONValue {
        switch expression {
        case .text(let text): return .string(text)
        case .integer(let number): return .integer(number)
        case .member(let inner, let name):
            let value = try evaluate(inner)
            guard let member = value[member: name] else {
                throw .invalidTemplate(
                    "the language expression property '\(printable(name))' doesn't exist, available properties are '"
                        + (value.object ?? [:]).keys.sorted().map(printable).joined(separator: ", ") + "'")
            }
            return member
        case .element(let inner, let index):
            let value = try evaluate(inner)
            let key = try evaluate(index)
            if let name = key.string {
                guard let member = value[member: name] else {
                    throw .invalidTemplate("the language expression property '\(printable(name))' doesn't exist")
                }
                return member
            }
            guard let items = value.array, let number = key.integer, items.indices.contains(Int(clamping: number))
            else { throw .invalidTemplate("the language expression array index is out of bounds") }
            return items[Int(number)]
        case .call(let name, let arguments): return try call(name, arguments)
        }
    }

    // MARK: Names

    private func call(_ name: String, _ arguments: [TemplateExpression]) throws(ARMError) -> JSONValue {
        let lowered = name.lowercased()
        if let lazy = try callLazily(lowered, arguments) { return lazy }
        var values: [JSONValue] = []
        for argument in arguments { values.append(try evaluate(argument)) }
        let function = TemplateCall(name: name, arguments: values)
        if lowered.contains(".") { return try callOwn(lowered, function) }
        switch lowered {
        case "parameters":
            guard let value = parameters[try function.text(0).lowercased()] else {
                throw .unknownParameter(try function.text(0))
            }
            return value
        case "variables": return try variable(try function.text(0))
        case "copyindex": return .integer(try copyIndex(function))
        case "lambdavariables":
            guard let value = lambdas[try function.text(0).lowercased()] else { throw function.failure }
            return value
        default: break
        }
        if let value = try function.place(in: self) { return value }
        if let value = try function.logic() { return value }
        if let value = try function.number() { return value }
        if let value = try function.text() { return value }
        if let value = try function.collection() { return value }
        throw .invalidTemplate("the template function '\(printable(name))' is not valid, or not known to this emulator")
    }

    /// Functions that do not evaluate all of their arguments.
    private func callLazily(
        _ name: String, _ arguments: [TemplateExpression]
    ) throws(ARMError) -> JSONValue? {
        switch (name, arguments.count) {
        case ("if", 3):
            guard let condition = try evaluate(arguments[0]).bool else { throw TemplateCall(name: name).failure }
            return try evaluate(arguments[condition ? 1 : 2])
        case ("and", 1...), ("or", 1...):
            for argument in arguments {
                guard let value = try evaluate(argument).bool else { throw TemplateCall(name: name).failure }
                if value == (name == "or") { return .bool(value) }
            }
            return .bool(name == "and")
        case ("coalesce", 1...):
            for argument in arguments {
                let value = try evaluate(argument)
                if value != .null { return value }
            }
            return .null
        case ("map", 2), ("filter", 2), ("toobject", 2...3):
            return try overEach(name, arguments)
        default: return nil
        }
    }

    private func overEach(_ name: String, _ arguments: [TemplateExpression]) throws(ARMError) -> JSONValue {
        guard let items = try evaluate(arguments[0]).array else { throw TemplateCall(name: name).failure }
        func apply(_ lambda: TemplateExpression, _ item: JSONValue) throws(ARMError) -> JSONValue {
            guard case .call(let function, let parts) = lambda, function.lowercased() == "lambda", parts.count == 2,
                case .text(let variable) = parts[0]
            else { throw TemplateCall(name: name).failure }
            var inner = self
            inner.lambdas[variable.lowercased()] = item
            return try inner.evaluate(parts[1])
        }
        var result: [JSONValue] = []
        var members: [String: JSONValue] = [:]
        for item in items {
            let value = try apply(arguments[1], item)
            switch name {
            case "map": result.append(value)
            case "filter": if value.bool == true { result.append(item) }
            default:
                members[value.string ?? ""] = arguments.count == 3 ? try apply(arguments[2], item) : item
            }
        }
        return name == "toobject" ? .object(members) : .array(result)
    }

    private func variable(_ name: String) throws(ARMError) -> JSONValue {
        guard depth < Self.deepest else {
            throw .invalidTemplate("the template variable '\(printable(name))' depends on itself")
        }
        var inner = self
        inner.depth += 1
        let declared = template[member: "variables"] ?? [:]
        if let loop = declared[member: "copy"]?.array?.first(where: {
            $0["name"]?.string?.lowercased() == name.lowercased()
        }) {
            return .array(try inner.repeated(loop))
        }
        guard let value = declared[member: name] else {
            throw .invalidTemplate("the template variable '\(printable(name))' is not found")
        }
        return try inner.evaluate(value)
    }

    /// A function that the template declares.
    private func callOwn(_ name: String, _ call: TemplateCall) throws(ARMError) -> JSONValue {
        let halves = name.split(separator: ".")
        let space = (template[member: "functions"]?.array ?? []).first {
            $0[member: "namespace"]?.string?.lowercased() == halves.first.map(String.init)
        }
        guard depth < Self.deepest, halves.count == 2,
            let function = space?[member: "members"]?[member: String(halves[1])]
        else { throw call.failure }
        let names = (function[member: "parameters"]?.array ?? []).compactMap { $0[member: "name"]?.string }
        guard names.count == call.arguments.count else { throw call.failure }
        // It sees its own parameters and nothing else of the template.
        var inner = TemplateScope(
            template: ["functions": template[member: "functions"] ?? []], place: place, budget: budget)
        inner.depth = depth + 1
        for (name, value) in zip(names, call.arguments) { inner.parameters[name.lowercased()] = value }
        return try inner.evaluate(function[path: "output.value"] ?? .null)
    }

    private func copyIndex(_ call: TemplateCall) throws(ARMError) -> Int64 {
        let name = call.arguments.first?.string?.lowercased()
        let turn = name.map { name in turns.last { $0.name.lowercased() == name } } ?? turns.last
        guard let turn else { throw .invalidTemplate("'copyIndex' is used outside of a copy loop") }
        return turn.index + (call.arguments.last?.integer ?? 0)
    }
}

/// Bounds what a template costs, for it is evaluated while others wait.
final class TemplateBudget {
    private var left = 500_000

    func spend(_ cost: Int) throws(ARMError) {
        left -= cost
        guard left >= 0 else { throw .invalidTemplate("the template's expressions take too long to evaluate") }
    }

    func spend(for value: JSONValue) throws(ARMError) {
        switch value {
        case .string(let text): try spend(1 + text.utf8.count / 64)
        case .array(let items): try spend(1 + items.count)
        case .object(let members): try spend(1 + members.count)
        default: try spend(1)
        }
    }
}

extension ARMError {
    static func unknownParameter(_ name: String) -> ARMError {
        var error = ARMError.invalidTemplate("the template parameter '\(printable(name))' is not found")
        error.target = "parameters"
        return error
    }
}
