internal import SalvorJSON

/// What lies on other resources and says what may be done to them. All of it is done at once.
protocol AuthorizationKind: ResourceKind {
    /// Whether a list with this filter shows it. Filters for scopes are done before.
    func matches(_ record: Record, _ filter: String) -> Bool
}

extension AuthorizationKind {
    package func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard let record = state[call.id] else { return .done(204, nil) }
        state.remove(call.id)
        return .done(200, view(record, call, in: state))
    }

    package func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion { .done(nil) }

    func matches(_ record: Record, _ filter: String) -> Bool { true }

    /// Those on the scope and above it, and, unless `atScope()` is asked for, below it.
    package func list(_ call: ResourceCall, in state: EmulatorState) throws(ARMError) -> [JSONValue] {
        let filter = call.query["$filter"] ?? ""
        let lowered = filter.lowercased()
        let isHere = lowered.contains("atscope()") || lowered.contains("atexactscope()")
        return state.list(type, in: ResourceID(subscription: call.id.subscription)).filter { record in
            let scope = record.id.scope
            let isAbove = lowered.contains("atexactscope()") ? scope == call.id : call.id.isWithin(scope)
            return (isAbove || (!isHere && scope.isWithin(call.id))) && matches(record, filter)
        }.map { view($0, call, in: state) }
    }

    /// - Throws: for a scope that there is not.
    func checkScope(_ call: ResourceCall, in state: EmulatorState) throws(ARMError) {
        let scope = call.id.scope
        guard scope.resourceGroup != nil || !scope.parts.isEmpty else { return }
        _ = try state.require(scope)
    }

    /// A text in quotes behind a word of a filter: `principalId eq 'x'`, `assignedTo('x')`.
    static func text(_ filter: String, after word: String) -> String? {
        guard let found = filter.lowercased().firstRange(of: word.lowercased()) else { return nil }
        let rest = filter.lowercased()[found.upperBound...].drop { " (eq".contains($0) }
        guard rest.first == "'" else { return nil }
        return String(rest.dropFirst().prefix { $0 != "'" })
    }

    static func isUUID(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.count) == [8, 4, 4, 4, 12] && parts.joined().allSatisfy(\.isHexDigit)
    }
}
