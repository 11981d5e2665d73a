internal import SalvorJSON

/// What the caller may do at a scope: a list that is made for each who asks.
struct Permissions: ResourceKind {
    let type = "Microsoft.Authorization/permissions"

    func list(_ call: ResourceCall, in state: EmulatorState) throws(ARMError) -> [JSONValue] {
        guard let caller = call.surroundings.caller else { return [] }
        return call.surroundings.roles.grants(on: call.id, for: caller, in: state).map(\.role.permissions)
    }

    func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        throw .methodNotAllowed("PUT")
    }

    func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        throw .methodNotAllowed("DELETE")
    }

    func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion { .done(nil) }
}
