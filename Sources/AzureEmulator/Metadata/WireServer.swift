internal import SalvorJSON

/// The part of Azure's wire server (168.63.129.16) that a guest without a provisioning agent needs: it reads its goal
/// state, and reports that it is ready ("Creating generalized VMs without a provisioning agent").
struct WireServer {
    let emulator: Emulator
    let machine: ResourceID

    private static let version = "2012-11-30"

    /// - Returns: nil for an address of another part.
    func answer(_ request: EmulatorRequest, _ segments: [String]) async -> EmulatorResponse? {
        guard segments.isEmpty || segments == ["machine"] else { return nil }
        switch (request.method, segments.first, request.query["comp"]?.lowercased()) {
        case ("GET", nil, "versions"):
            return Self.xml(
                "<Versions><Preferred><Version>\(Self.version)</Version></Preferred><Supported>"
                    + "<Version>\(Self.version)</Version></Supported></Versions>")
        case ("GET", "machine", "goalstate"):
            guard let machineID = machineID(), isVersioned(request) else { return EmulatorResponse(400) }
            return Self.xml(goalState(machineID))
        case ("POST", "machine", "health"):
            guard let machineID = machineID(), isVersioned(request) else { return EmulatorResponse(400) }
            return await takeReport(String(decoding: request.body.prefix(65_536), as: UTF8.self), of: machineID)
        default: return EmulatorResponse(404)
        }
    }

    private func isVersioned(_ request: EmulatorRequest) -> Bool { request.headers["x-ms-version"] == Self.version }

    private func machineID() -> String? {
        emulator.look { state in state[machine].map { $0.body[path: "properties.vmId"]?.string ?? $0.id.name } }
    }

    private func containerID(_ machineID: String) -> String { PrincipalID.derived(from: "container of \(machineID)") }
    private func instanceID(_ machineID: String) -> String {
        "\(PrincipalID.derived(from: machineID))._\(machine.name)"
    }

    private func goalState(_ machineID: String) -> String {
        """
        <GoalState xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="goalstate10.xsd">\
        <Version>\(Self.version)</Version><Incarnation>1</Incarnation><Machine><ExpectedState>Started</ExpectedState>\
        <StopRolesDeadlineHint>300000</StopRolesDeadlineHint><ExpectHealthReport>TRUE</ExpectHealthReport></Machine>\
        <Container><ContainerId>\(containerID(machineID))</ContainerId><RoleInstanceList><RoleInstance>\
        <InstanceId>\(instanceID(machineID))</InstanceId><State>Started</State></RoleInstance></RoleInstanceList>\
        </Container></GoalState>
        """
    }

    /// Notes when the guest first said that it is ready.
    private func takeReport(_ text: String, of machineID: String) async -> EmulatorResponse {
        guard Self.element("ContainerId", in: text)?.lowercased() == containerID(machineID),
            Self.element("InstanceId", in: text)?.lowercased() == instanceID(machineID).lowercased(),
            let state = Self.element("State", in: text)
        else { return EmulatorResponse(400) }
        guard state == "Ready" else { return EmulatorResponse(200) }
        let now = emulator.clock.now
        do throws(ARMError) {
            try await emulator.commit(now) { (state) throws(ARMError) in
                guard var record = state[machine], record.hidden["agentReady"] == nil else { return }
                record.hidden[path: "agentReady"] = .string(now.text)
                state.put(record)
            }
            return EmulatorResponse(200)
        } catch {
            return EmulatorResponse(500)
        }
    }

    /// The text of the first element of a name, which holds no others.
    private static func element(_ name: String, in text: String) -> String? {
        guard let begin = text.firstRange(of: "<\(name)>"),
            let end = text[begin.upperBound...].firstRange(of: "</\(name)>")
        else { return nil }
        return String(text[begin.upperBound..<end.lowerBound])
    }

    private static func xml(_ text: String) -> EmulatorResponse {
        EmulatorResponse(
            200, headers: [("Content-Type", "text/xml; charset=utf-8")],
            body: Array("<?xml version=\"1.0\" encoding=\"utf-8\"?>\(text)".utf8))
    }
}
