import SalvorAzure
import SalvorJSON
import Testing

/// What is made of what Azure shows.
@Suite struct SuspicionTests {
    private static func machine(
        power: String, agent: String? = nil, provisioning: String = "Succeeded", extensions: [JSONValue] = [],
        tags: [String: JSONValue] = [:], location: String = "westeurope"
    ) throws -> BrokenVM {
        var view: [String: JSONValue] = ["statuses": [["code": .string("PowerState/\(power)")]]]
        if let agent {
            view["vmAgent"] = [
                "vmAgentVersion": "Unknown",
                "statuses": [
                    [
                        "code": "ProvisioningState/Unavailable", "displayStatus": .string(agent),
                        "message": "VM status blob is found but not yet populated.", "time": "2024-07-19T06:00:00Z",
                    ]
                ],
            ]
        }
        return try BrokenVM(
            [
                "id": .string(RunningAzure.machineID("vm")), "location": .string(location), "tags": .object(tags),
                "properties": [
                    "provisioningState": .string(provisioning), "instanceView": .object(view),
                    "storageProfile": ["osDisk": ["osType": "Windows"]],
                ],
                "resources": .array(extensions),
            ])
    }

    private static func sensor(_ name: String, publisher: JSONValue? = nil) -> JSONValue {
        var json: [String: JSONValue] = ["id": .string("\(RunningAzure.machineID("vm"))/extensions/\(name)")]
        if let publisher { json["properties"] = ["publisher": publisher, "type": "FalconSensorWindows"] }
        return .object(json)
    }

    @Test(
        "Verdicts",
        arguments: [
            ("running", "Not Ready", "Succeeded", "Crowdstrike.Falcon", .looksBroken),
            ("running", "Not Ready", "Failed", "Crowdstrike.Falcon", .looksBroken),
            ("running", nil, "Succeeded", "Crowdstrike.Falcon", .looksBroken),
            ("running", "Not Ready", "Succeeded", "Microsoft.Compute", .mayBeBroken),
            ("running", "Not Ready", "Succeeded", nil, .mayBeBroken),
            ("running", "Ready", "Succeeded", "Crowdstrike.Falcon", .looksWell),
            ("running", "Not Ready", "Updating", "Crowdstrike.Falcon", .changing),
            ("starting", nil, "Succeeded", "Crowdstrike.Falcon", .changing),
            ("stopped", nil, "Succeeded", "Crowdstrike.Falcon", .notRunning),
            ("deallocated", nil, "Succeeded", nil, .notRunning), ("hibernated", nil, "Succeeded", nil, .changing),
        ] as [(String, String?, String, String?, Suspicion.Verdict)])
    func verdicts(
        power: String, agent: String?, provisioning: String, publisher: String?, verdict: Suspicion.Verdict
    ) throws {
        let extensions = publisher.map { [Self.sensor("ext", publisher: .string($0))] } ?? []
        let seen = Suspicion(
            try Self.machine(power: power, agent: agent, provisioning: provisioning, extensions: extensions))
        #expect(seen.verdict == verdict)
        #expect(seen.hasFalcon == (publisher == "Crowdstrike.Falcon"))
        #expect(!seen.reasons.isEmpty && seen.reasons.allSatisfy { !$0.isEmpty })
    }

    @Test("The reasons say what was seen, and when")
    func reasons() throws {
        let seen = Suspicion(
            try Self.machine(power: "running", agent: "Not Ready", extensions: [Self.sensor("CrowdStrike-Falcon")]))
        #expect(seen.verdict == .looksBroken)
        let text = seen.reasons.joined(separator: " ")
        for words in ["Not Ready", "2024-07-19T06:00:00Z", "not yet populated", "CrowdStrike-Falcon"] {
            #expect(text.contains(words), "\(words): \(text)")
        }
    }
}
