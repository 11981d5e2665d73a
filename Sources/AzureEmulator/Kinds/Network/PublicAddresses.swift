internal import SalvorJSON

/// Public addresses: an address of a documentation range, that leads nowhere.
struct PublicAddresses: NetworkKind {
    let type = "Microsoft.Network/publicIPAddresses"

    func fill(_ record: inout Record, _ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) {
        let known = state[record.id]
        let count = state.list(type, in: ResourceID(subscription: record.id.subscription)).count
        // RFC 5737: nobody has these.
        record.body[path: "properties.ipAddress"] =
            known?.body[path: "properties.ipAddress"] ?? .string("203.0.113.\(1 + count % 254)")
        if record.body[path: "properties.publicIPAllocationMethod"] == nil {
            record.body[path: "properties.publicIPAllocationMethod"] = "Dynamic"
        }
        if record.body[path: "properties.publicIPAddressVersion"] == nil {
            record.body[path: "properties.publicIPAddressVersion"] = "IPv4"
        }
        record.body[path: "properties.ipConfiguration"] = known?.body[path: "properties.ipConfiguration"]
    }

    func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError) {
        guard let user = record.body[path: "properties.ipConfiguration.id"]?.string else { return }
        throw ARMError(
            400, "PublicIPAddressCannotBeDeleted",
            "Public IP address \(record.id) can not be deleted since it is still allocated to resource \(user). In order to "
                + "delete the public IP, disassociate/detach the Public IP address from the resource.")
    }
}
