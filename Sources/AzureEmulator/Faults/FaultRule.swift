package import SalvorJSON

/// One thing that is to go wrong, and when.
package struct FaultRule: Sendable, Hashable {
    package enum Effect: Sendable, Hashable {
        /// The request is refused, and has no effect.
        case refuse(status: Int, code: String, message: String, retryAfter: Int64?)
        /// The request is never answered, and has no effect.
        case hang
        /// The request has its effect, and its answer never comes: the connection is closed.
        case lose
        /// The request waits first.
        case delay(Duration)
        /// The operation ends with this error.
        case fail(code: String, message: String)
        /// The operation goes on for ever.
        case stall

        var isOfOperations: Bool {
            switch self {
            case .fail, .stall: true
            case .refuse, .hang, .lose, .delay: false
            }
        }
    }

    /// Of the request; nil for any.
    package var method: String?
    /// A pattern of the path, in which `*` is any text; nil for any. For an operation, of its resource's id.
    package var path: String?
    /// The verb of an operation: `create`, `start`, `deallocate`, …; nil for any.
    package var verb: String?
    /// How many matches pass before the rule holds.
    package var skip: Int
    /// How often it holds; nil for always.
    package var times: Int?
    /// With which probability it holds, 0 to 1.
    package var rate: Double
    package var effect: Effect

    package init(
        method: String? = nil, path: String? = nil, verb: String? = nil, skip: Int = 0, times: Int? = nil,
        rate: Double = 1, effect: Effect
    ) {
        self.method = method
        self.path = path
        self.verb = verb
        self.skip = skip
        self.times = times
        self.rate = rate
        self.effect = effect
    }
}

extension FaultRule {
    /// `{"method": "PUT", "path": "*/disks/*", "skip": 1, "times": 2, "rate": 0.5, "refuse": {"status": 429}}`; instead of
    /// `refuse` one of `"hang": true`, `"lose": true`, `"delay": {"milliseconds": 100}`, `"fail": {"code": …}` with
    /// `verb`, `"stall": true` with `verb`.
    /// - Throws: 400, which names the member that is wrong.
    package init(json: JSONValue) throws(ARMError) {
        let known: Set = [
            "method", "path", "verb", "skip", "times", "rate", "refuse", "hang", "lose", "delay", "fail", "stall",
        ]
        guard let members = json.object else { throw Self.wrong("a rule", "is no object") }
        if let other = members.keys.sorted().first(where: { !known.contains($0) }) {
            throw Self.wrong(printable(other), "is no member of a rule: \(known.sorted().joined(separator: ", "))")
        }
        let effects = ["refuse", "hang", "lose", "delay", "fail", "stall"].filter { members[$0] != nil }
        guard effects.count == 1 else { throw Self.wrong("a rule", "needs exactly one effect, not \(effects.count)") }
        self.init(
            method: members["method"]?.string?.uppercased(), path: members["path"]?.string,
            verb: members["verb"]?.string?.lowercased(), skip: Int(members["skip"]?.integer ?? 0),
            times: members["times"]?.integer.map { Int($0) }, rate: try Self.rate(members["rate"]),
            effect: try Self.effect(effects[0], members[effects[0]] ?? [:]))
    }

    private static func rate(_ json: JSONValue?) throws(ARMError) -> Double {
        let rate: Double? =
            switch json {
            case nil: 1
            case .number(let rate): rate
            case .integer(let rate): Double(rate)
            default: nil
            }
        guard let rate, (0...1).contains(rate) else { throw wrong("rate", "is no number from 0 to 1") }
        return rate
    }

    private static func effect(_ name: String, _ json: JSONValue) throws(ARMError) -> Effect {
        switch name {
        case "refuse":
            let status = json["status"]?.integer ?? 0
            guard (400...599).contains(status) else { throw wrong("refuse.status", "is no number from 400 to 599") }
            return .refuse(
                status: Int(status), code: json["code"]?.string ?? standardCode(of: status),
                message: json["message"]?.string ?? "A fault that was asked for.",
                retryAfter: json["retryAfter"]?.integer)
        case "delay":
            guard let pause = json["milliseconds"]?.integer, pause >= 0 else {
                throw wrong("delay.milliseconds", "is no number")
            }
            return .delay(.milliseconds(pause))
        case "fail":
            return .fail(
                code: json["code"]?.string ?? "InternalExecutionError",
                message: json["message"]?.string ?? "A fault that was asked for.")
        case "hang": return .hang
        case "lose": return .lose
        default: return .stall
        }
    }

    private static func standardCode(of status: Int64) -> String {
        switch status {
        case 409: "Conflict"
        case 429: "TooManyRequests"
        case 503: "ServerBusy"
        default: status < 500 ? "BadRequest" : "InternalServerError"
        }
    }

    private static func wrong(_ member: String, _ why: String) -> ARMError {
        ARMError(400, "InvalidFault", "A fault cannot be read: \(member) \(why).")
    }
}
