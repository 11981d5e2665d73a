internal import SalvorJSON

/// A machine's system-assigned identity.
enum MachineIdentity {
    /// Gives the machine a principal, where it asks for one and has none.
    static func fill(_ record: inout Record, _ call: ResourceCall) {
        guard record.body[path: "identity.type"]?.string?.lowercased().contains("systemassigned") == true,
            record.body[path: "identity.principalId"] == nil
        else { return }
        record.body[path: "identity.principalId"] = .string(call.makeID())
        record.body[path: "identity.tenantId"] = .string(call.surroundings.tenant)
    }
}
