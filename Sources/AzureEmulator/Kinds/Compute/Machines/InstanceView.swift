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
        let extensions = state.children(of: record.id, "extensions")
        if power == "running" { view[path: "vmAgent"] = agent(of: record, extensions, now) }
        if record.body[path: "properties.diagnosticsProfile.bootDiagnostics.enabled"]?.bool == true {
            view[path: "bootDiagnostics"] = [:]
        }
        if !extensions.isEmpty {
            view[path: "extensions"] = .array(
                extensions.map {
                    [
                        "name": .string($0.id.name), "type": .string(handler(of: $0)),
                        "typeHandlerVersion": $0.body[path: "properties.typeHandlerVersion"] ?? .null,
                        "statuses": [status("ProvisioningState/succeeded", "Provisioning succeeded")],
                    ]
                })
        }
        return view
    }

    /// `CrowdStrike.Falcon.FalconSensorWindows`: publisher and type.
    private static func handler(of record: Record) -> String {
        ["publisher", "type"].compactMap { record.body[path: "properties.\($0)"]?.string }.joined(separator: ".")
    }

    /// The agent of a simulated machine is ready unless its disk is said to be broken; that of a real one when it has said so
    /// since the machine started.
    private static func agent(of record: Record, _ extensions: [Record], _ now: EmulatorTime) -> JSONValue {
        let isReady =
            record.hidden["isReal"] == true ? record.hidden["agentReady"] != nil : !UnbootableDisk.holds(record)
        var agent: JSONValue = [
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
        guard isReady, !extensions.isEmpty else { return agent }
        agent[path: "extensionHandlers"] = .array(
            extensions.map {
                [
                    "type": .string(handler(of: $0)),
                    "typeHandlerVersion": $0.body[path: "properties.typeHandlerVersion"] ?? .null,
                    "status": [
                        "code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready",
                        "time": .string(now.text),
                    ],
                ]
            })
        return agent
    }
}
