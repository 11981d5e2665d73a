package import SalvorJSON

/// Lists of machines: by scale set, with what they are doing, or with that alone.
extension VirtualMachines {
    package func list(_ call: ResourceCall, in state: EmulatorState) throws(ARMError) -> [JSONValue] {
        let scaleSet = try call.query["$filter"].map(Self.scaleSet)
        if let expand = call.query["$expand"]?.lowercased() {
            guard expand == "instanceview" else {
                throw .invalidParameter(
                    "$expand",
                    "The value '\(printable(expand))' of parameter $expand is invalid: instanceView is known.")
            }
            // Of a single machine it is allowed always, of all of them only where they are few.
            guard scaleSet != nil else {
                throw .invalidParameter(
                    "$expand", "$expand=instanceView of a list can only be specified with a valid $filter.")
            }
        }
        let isStatusOnly = call.query["statusonly"]?.lowercased() == "true"
        return state.list(type, in: call.id).filter { record in
            guard let scaleSet else { return true }
            return record.body[path: "properties.virtualMachineScaleSet.id"]?.string?.lowercased() == scaleSet
        }.map { record in
            isStatusOnly ? Self.status(of: record, call.now, in: state) : view(record, call, in: state)
        }
    }

    /// `'virtualMachineScaleSet/id' eq '/subscriptions/…'`, in lower case.
    private static func scaleSet(_ filter: String) throws(ARMError) -> String {
        let halves = filter.lowercased().split(separator: " eq ", maxSplits: 1).map { half in
            half.filter { $0 != " " && $0 != "'" }
        }
        guard halves.count == 2, halves[0] == "virtualmachinescaleset/id" else {
            throw .invalidParameter(
                "$filter", "The value '\(printable(filter))' of parameter $filter is invalid: it names no scale set.")
        }
        return halves[1]
    }

    /// What `statusOnly=true` shows: what a machine is doing, and not what it is.
    private static func status(of record: Record, _ now: EmulatorTime, in state: EmulatorState) -> JSONValue {
        var json = Record(id: record.id, body: [:]).json
        json[path: "location"] = record.body["location"]
        json[path: "properties.vmId"] = record.body[path: "properties.vmId"]
        json[path: "properties.provisioningState"] = .string(record.provisioningState)
        json[path: "properties.instanceView"] = InstanceView.of(record, now, in: state)
        return json
    }
}
