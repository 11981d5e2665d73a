internal import SalvorJSON

/// Public addresses, of ranges that lead nowhere.
struct PublicAddresses: NetworkKind {
    let type = "Microsoft.Network/publicIPAddresses"

    /// Ranges for documentation (RFC 5737) and for measurements (RFC 2544): nobody has these.
    private static let ranges: [ClosedRange<UInt32>] = [
        0xCB00_7101...0xCB00_71FE, 0xC633_6401...0xC633_64FE, 0xC000_0201...0xC000_02FE, 0xC612_0001...0xC613_FFFE,
    ]

    func fill(
        _ record: inout Record, known: Record?, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) {
        try record.body.spell("sku.name", ["Basic", "Standard"], of: record.id)
        try record.body.spell("sku.tier", ["Regional", "Global"], of: record.id)
        try record.body.spell("properties.publicIPAllocationMethod", ["Static", "Dynamic"], of: record.id)
        try record.body.spell("properties.publicIPAddressVersion", ["IPv4", "IPv6"], of: record.id)
        if record.body[path: "sku.name"] == nil { record.body[path: "sku.name"] = "Basic" }
        if record.body[path: "sku.tier"] == nil { record.body[path: "sku.tier"] = "Regional" }
        let isStandard = record.body[path: "sku.name"] == "Standard"
        if let known, known.body[path: "sku.name"] != record.body[path: "sku.name"] {
            throw ARMError(
                400, "SkuCannotBeChangedOnUpdate",
                "Sku cannot be changed for an existing resource \(record.id).")
        }
        if record.body[path: "properties.publicIPAllocationMethod"] == nil {
            record.body[path: "properties.publicIPAllocationMethod"] = "Dynamic"
        }
        if record.body[path: "properties.publicIPAddressVersion"] == nil {
            record.body[path: "properties.publicIPAddressVersion"] = "IPv4"
        }
        guard record.body[path: "properties.publicIPAddressVersion"] == "IPv4" else {
            throw ARMError(
                400, "FeatureNotSupported", "IPv6 is not supported by this emulator.", target: "publicIPAddressVersion")
        }
        let isStatic = record.body[path: "properties.publicIPAllocationMethod"] == "Static"
        guard isStatic || !isStandard else {
            throw ARMError(
                400, "StandardSkuPublicIPAddressesMustBeStatic",
                "Standard sku publicIp \(record.id) must have AllocationMethod set to Static.")
        }
        let timeout = record.body[path: "properties.idleTimeoutInMinutes"]?.integer ?? 4
        guard (4...30).contains(timeout) else {
            throw ARMError(
                400, "InvalidIdleTimeoutInMinutes",
                "The idle timeout \(timeout) of \(record.id) is out of range: 4 to 30 minutes.")
        }
        record.body[path: "properties.idleTimeoutInMinutes"] = .integer(timeout)
        if record.body[path: "properties.ipTags"] == nil { record.body[path: "properties.ipTags"] = [] }
        try name(&record, in: state)
        record.body[path: "properties.ipConfiguration"] = known?.body["properties"]?["ipConfiguration"]
        record.body[path: "properties.ipAddress"] = nil
        try take(for: &record, in: &state)
    }

    /// The name in DNS, which one address in a region has.
    private func name(_ record: inout Record, in state: EmulatorState) throws(ARMError) {
        guard let label = record.body[path: "properties.dnsSettings.domainNameLabel"]?.string else { return }
        let location = record.body["location"]?.string ?? ""
        let bytes = Array(label.utf8)
        let fits =
            (3...63).contains(bytes.count)
            && bytes.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
            && (0x61...0x7A).contains(bytes[0]) && bytes.last != 0x2D
        guard fits else {
            throw ARMError(
                400, "InvalidDomainNameLabel",
                "The domain name label \(printable(label)) is invalid. It must conform to the following regular expression: "
                    + "^[a-z][a-z0-9-]{1,61}[a-z0-9]$.")
        }
        let full = JSONValue.string("\(label).\(location).cloudapp.azure.com")
        let others = state.list(type, in: ResourceID(subscription: record.id.subscription))
        guard !others.contains(where: { $0.id != record.id && $0.body[path: "properties.dnsSettings.fqdn"] == full })
        else {
            throw ARMError(
                400, "DnsRecordInUse",
                "DNS record \(printable(full.string ?? "")) is already used by another public IP.")
        }
        record.body[path: "properties.dnsSettings.fqdn"] = full
    }

    private func take(for record: inout Record, in state: inout EmulatorState) throws(ARMError) {
        guard record.hidden["address"] == nil else { return }
        for range in Self.ranges {
            let pool = AddressPool.everywhere
            if let address = pool.takeLowest(of: range, for: record.id.description, in: &state) {
                record.hidden[path: "address"] = .string(address.description)
                return
            }
        }
        throw ARMError(
            400, "PublicIPCountLimitReached",
            "Cannot create more public IP addresses for this subscription in this region.")
    }

    func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError) {
        guard let user = record.body[path: "properties.ipConfiguration.id"]?.string else { return }
        throw ARMError(
            400, "PublicIPAddressCannotBeDeleted",
            "Public IP address \(record.id) can not be deleted since it is still allocated to resource \(user). In order to "
                + "delete the public IP, disassociate/detach the Public IP address from the resource. To learn how to do this, "
                + "see aka.ms/deletepublicip.")
    }

    func release(_ record: Record, in state: inout EmulatorState) {
        guard let address = record.hidden["address"]?.string.flatMap({ IPv4Address($0) }) else { return }
        AddressPool.everywhere.release(address, in: &state)
    }

    func view(_ record: Record, _ call: ResourceCall, in state: EmulatorState) -> JSONValue {
        var json = record.json
        json[path: "etag"] = .string(record.etag)
        // A static address is there from the beginning, a dynamic one as long as it leads to a machine that runs.
        let isStatic = record.body[path: "properties.publicIPAllocationMethod"] == "Static"
        if isStatic || leadsToMachine(record, in: state) {
            json[path: "properties.ipAddress"] = record.hidden["address"]
        }
        return json
    }

    private func leadsToMachine(_ record: Record, in state: EmulatorState) -> Bool {
        guard let text = record.body[path: "properties.ipConfiguration.id"]?.string,
            let interface = ResourceID(text)?.parent.flatMap({ state[$0] }),
            let machine = interface.body[path: "properties.virtualMachine.id"]?.string.flatMap({ ResourceID($0) })
        else { return false }
        return state[machine].map { $0.hidden["power"]?.string != "deallocated" } ?? false
    }
}
