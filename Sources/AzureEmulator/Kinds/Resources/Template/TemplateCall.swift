internal import SalvorJSON

/// A call of one of the template language's functions, with its arguments' values.
struct TemplateCall {
    let name: String
    var arguments: [JSONValue] = []

    var failure: ARMError {
        .invalidTemplate(
            "the template function '\(printable(name))' is not valid: the arguments do not fit it")
    }

    func value(_ index: Int) throws(ARMError) -> JSONValue {
        guard arguments.indices.contains(index) else { throw failure }
        return arguments[index]
    }

    func text(_ index: Int) throws(ARMError) -> String {
        guard let text = try value(index).string else { throw failure }
        return text
    }

    func integer(_ index: Int) throws(ARMError) -> Int64 {
        guard let number = try value(index).integer else { throw failure }
        return number
    }

    func expect(_ count: ClosedRange<Int>) throws(ARMError) {
        guard count.contains(arguments.count) else { throw failure }
    }

    /// How a value reads as text.
    static func text(of value: JSONValue) -> String {
        switch value {
        case .string(let text): text
        case .bool(let value): value ? "True" : "False"
        case .null: ""
        default: value.text
        }
    }

    // MARK: Logic

    func logic() throws(ARMError) -> JSONValue? {
        switch name.lowercased() {
        case "true": return true
        case "false": return false
        case "null": return .null
        case "not":
            guard let value = try value(0).bool else { throw failure }
            return .bool(!value)
        case "equals":
            try expect(2...2)
            return .bool(arguments[0] == arguments[1])
        case "less", "lessorequals", "greater", "greaterorequals": return .bool(try compare())
        case "bool":
            switch try value(0) {
            case .bool(let value): return .bool(value)
            case .integer(let number): return .bool(number != 0)
            case .string(let text) where ["true", "1"].contains(text.lowercased()): return true
            case .string(let text) where ["false", "0"].contains(text.lowercased()): return false
            default: throw failure
            }
        default: return nil
        }
    }

    private func compare() throws(ARMError) -> Bool {
        try expect(2...2)
        let order: (less: Bool, equal: Bool)
        switch (arguments[0], arguments[1]) {
        case (.integer(let one), .integer(let other)): order = (one < other, one == other)
        case (.string(let one), .string(let other)): order = (one < other, one == other)
        default: throw failure
        }
        return switch name.lowercased() {
        case "less": order.less
        case "lessorequals": order.less || order.equal
        case "greater": !order.less && !order.equal
        default: !order.less
        }
    }

    // MARK: Numbers

    func number() throws(ARMError) -> JSONValue? {
        switch name.lowercased() {
        case "add": return .integer(try exact { $0.addingReportingOverflow($1) })
        case "sub": return .integer(try exact { $0.subtractingReportingOverflow($1) })
        case "mul": return .integer(try exact { $0.multipliedReportingOverflow(by: $1) })
        case "div": return .integer(try exact { $0.dividedReportingOverflow(by: $1) })
        case "mod": return .integer(try exact { $0.remainderReportingOverflow(dividingBy: $1) })
        case "int":
            switch try value(0) {
            case .integer(let number): return .integer(number)
            case .string(let text):
                guard let number = Int64(text) else { throw failure }
                return .integer(number)
            default: throw failure
            }
        case "min", "max":
            let values = arguments.count == 1 ? arguments[0].array ?? arguments : arguments
            let numbers = values.compactMap(\.integer)
            guard numbers.count == values.count, let least = numbers.min(), let most = numbers.max() else {
                throw failure
            }
            return .integer(name.lowercased() == "min" ? least : most)
        case "range":
            let start = try integer(0)
            let count = try integer(1)
            guard (0...10_000).contains(count), start <= Int64(Int32.max), start >= Int64(Int32.min) else {
                throw failure
            }
            return .array((start..<start + count).map { .integer($0) })
        default: return nil
        }
    }

    private func exact(
        _ operation: (Int64, Int64) -> (partialValue: Int64, overflow: Bool)
    ) throws(ARMError) -> Int64 {
        try expect(2...2)
        let result = operation(try integer(0), try integer(1))
        guard !result.overflow else { throw failure }
        return result.partialValue
    }
}
