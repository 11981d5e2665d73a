internal import SalvorJSON

/// What a machine looks like from outside: its power, its agent, its disks.
enum InstanceView {
    static func of(_ record: Record, _ now: EmulatorTime, in state: EmulatorState) -> JSONValue {
        let power = record.hidden["power"]?.string ?? "unknown"
        let provisioning = record.provisioningState.lowercased()
        func status(_ code: String, _ text: String) -> JSONValue {
            ["code": .string(code), "level": "Info", "displayStatus": .string(text), "time": .string(now.text)]
        }
        let profile = StorageProfile(record.body)
        let generation =
            profile.osDiskID.flatMap(ResourceID.init).flatMap { state[$0] }?
            .body[path: "properties.hyperVGeneration"]?.string ?? "V1"
        var view: JSONValue = [
            "hyperVGeneration": .string(generation),
            "statuses": [
                status("ProvisioningState/\(provisioning)", "Provisioning \(provisioning)"),
                status("PowerState/\(power)", "VM \(power)"),
            ],
            "disks": .array(
                profile.diskIDs.compactMap { ResourceID($0)?.name }.map {
                    [
                        "name": .string($0),
                        "statuses": [status("ProvisioningState/succeeded", "Provisioning succeeded")],
                    ]
                }),
        ]
        if power == "running" { view[path: "vmAgent"] = agent(of: record, now) }
        if record.body[path: "properties.diagnosticsProfile.bootDiagnostics.enabled"]?.bool == true {
            view[path: "bootDiagnostics"] = [:]
        }
        let extensions = state.children(of: record.id, "extensions")
        if !extensions.isEmpty {
            view[path: "extensions"] = .array(
                extensions.map {
                    [
                        "name": .string($0.id.name), "type": $0.body[path: "properties.type"] ?? .null,
                        "typeHandlerVersion": $0.body[path: "properties.typeHandlerVersion"] ?? .null,
                        "statuses": [status("ProvisioningState/succeeded", "Provisioning succeeded")],
                    ]
                })
        }
        return view
    }

    /// The agent of a simulated machine is always ready; that of a real one when it has said so since the machine started.
    private static func agent(of record: Record, _ now: EmulatorTime) -> JSONValue {
        let isReady = record.hidden["isReal"] != true || record.hidden["agentReady"] != nil
        return [
            "vmAgentVersion": isReady ? "2.7.41491.1172" : "Unknown",
            "statuses": [
                [
                    "code": isReady ? "ProvisioningState/succeeded" : "ProvisioningState/Unavailable",
                    "level": isReady ? "Info" : "Warning", "displayStatus": isReady ? "Ready" : "Not Ready",
                    "message": isReady
                        ? "GuestAgent is running and processing the extensions."
                        : "VM status blob is found but not yet populated.",
                    "time": .string(now.text),
                ]
            ],
        ]
    }
}
