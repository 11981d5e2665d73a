package import SalvorJSON

/// Virtual machines: their disks and their power. What requests mean is here, what comes of them in the effects.
package struct VirtualMachines: ResourceKind {
    package let type = "Microsoft.Compute/virtualMachines"
    static let update = Answer.Links.asyncOperation(segment: "operations")
    static let action = Answer.Links.both(segment: "operations")

    package init() {}

    package func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try ResourceName.check(call.id.name, of: "vmName", longest: 64, others: "-_.", lastMayNotBe: ".-")
        if let known = state[call.id] { return try change(known, to: call.body, call, in: &state) }
        var record = Record(id: call.id, body: call.body)
        record.body[path: "location"] = .string(try call.location())
        try InlineInterfaces(call).prepare(&record, in: &state)
        try check(record, in: state)
        try MachineImage.checkProfile(record, in: state)
        try checkCapacity(for: record, call, in: state)
        try NewDisks(call).prepare(&record, in: &state)
        for id in StorageProfile(record.body).diskIDs {
            let disk = try DiskOwnership.claim(id, for: record, call.now, in: state)
            DiskOwnership.attach(disk, to: call.id, running: true, in: &state)
        }
        record.body[path: "properties.vmId"] = .string(call.makeID())
        record.body[path: "properties.timeCreated"] = .string(call.now.text)
        try MachineSecrets.hide(&record)
        record.provisioningState = "Creating"
        record.hidden[path: "power"] = "starting"
        MachineIdentity.fill(&record, call)
        NetworkProfile.take(record, in: &state)
        state.put(record)
        // What its disks are copied from stays until they are.
        let sources = JSONValue.array(DiskCopy.all(of: record, in: state).map { .string($0.source) })
        // Azure calls a machine with a profile created once its guest has set itself up; one without is created at once.
        let provisioning = record.body[path: "properties.osProfile"] == nil ? nil : "provision"
        let operation = call.begin("create", and: provisioning, input: ["sources": sources], in: &state)
        return .accepted(201, view(record, call, in: state), operation, Self.update)
    }

    package func patch(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try change(try state.require(call.id), to: call.body, call, in: &state)
    }

    package func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard var record = state[call.id] else { return .done(204, nil) }
        try Disks.checkIdle(call.id, in: state)
        record.provisioningState = "Deleting"
        state.put(record)
        return .accepted(202, nil, call.begin("delete", in: &state), Self.action)
    }

    package func act(
        _ action: String, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> Answer? {
        let record = try state.require(call.id)
        switch action.lowercased() {
        case "start", "poweroff", "deallocate", "restart", "redeploy", "reapply":
            return try power(action.lowercased(), record, call, in: &state)
        case "generalize":
            var record = record
            record.hidden[path: "generalized"] = true
            state.put(record)
            return .done(200, nil)
        case "attachdetachdatadisks":
            return try attachDetach(record, call, in: &state)
        case "runcommand":
            return .accepted(202, nil, try RunCommand.begin(record, call, in: &state), Self.action)
        case "retrievebootdiagnosticsdata":
            return .done(200, try BootDiagnostics.addresses(of: record, call, in: &state))
        default: return nil
        }
    }

    package func read(
        _ child: String, _ record: Record, _ call: ResourceCall, in state: EmulatorState
    ) throws(ARMError) -> JSONValue? {
        switch child.lowercased() {
        case "instanceview": InstanceView.of(record, call.now, in: state)
        case "vmsizes": ["value": .array(VMSize.all.map(\.json))]
        default: nil
        }
    }

    package func view(_ record: Record, _ call: ResourceCall, in state: EmulatorState) -> JSONValue {
        var json = record.json
        let expands = call.query["$expand"]?.lowercased() ?? ""
        if expands.contains("instanceview") {
            json[path: "properties.instanceView"] = InstanceView.of(record, call.now, in: state)
        }
        // Azure shows it to those alone who ask for it.
        if !expands.contains("userdata") { json[path: "properties.userData"] = nil }
        json[path: "etag"] = .string(record.etag)
        let extensions = state.children(of: record.id, "extensions")
        if !extensions.isEmpty { json[path: "resources"] = .array(extensions.map(\.json)) }
        return json
    }

    private func power(
        _ action: String, _ record: Record, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> Answer {
        try Disks.checkIdle(call.id, in: state)
        var record = record
        let before = record.hidden["power"]?.string ?? ""
        if action == "restart", before != "running" {
            throw ARMError(
                409, "OperationNotAllowed",
                "The operation 'restart' requires the VM '\(call.id.name)' to be running (or set to run).")
        }
        let onTheWay = [
            "start": "starting", "restart": "starting", "poweroff": "stopping", "deallocate": "deallocating",
        ]
        if let power = onTheWay[action] {
            record.hidden[path: "power"] = .string(power)
            // The guest that said so is not there any more.
            record.hidden[path: "agentReady"] = nil
            state.put(record)
        }
        var input: JSONValue = ["before": .string(before)]
        if call.query["skipshutdown"]?.lowercased() == "true" { input[path: "skipShutdown"] = true }
        return .accepted(202, nil, call.begin(action, input: input, in: &state), Self.action)
    }

    /// - Throws: `SkuNotAvailable`, or `OperationNotAllowed` where the quota does not suffice.
    func checkCapacity(for record: Record, _ call: ResourceCall, in state: EmulatorState) throws(ARMError) {
        guard let name = record.body[path: "properties.hardwareProfile.vmSize"]?.string else { return }
        let size = try VMSize.named(name)
        let location = record.body["location"]?.string ?? ""
        let zones = (record.body["zones"]?.array ?? []).compactMap(\.string)
        let offer = call.surroundings.offer
        try size.checkAvailable(in: location, zones: zones, offer)
        try ComputeQuota(subscription: call.id, location: location, offer: offer).check(size, for: call.id, in: state)
    }

    /// - Throws: what is wrong with a machine's body by itself.
    func check(_ record: Record, in state: EmulatorState) throws(ARMError) {
        guard let size = record.body[path: "properties.hardwareProfile.vmSize"]?.string else {
            throw .requiredParameter("hardwareProfile.vmSize")
        }
        try StorageProfile(record.body).check(for: try VMSize.named(size))
        try NetworkProfile.check(record, in: state)
    }
}
