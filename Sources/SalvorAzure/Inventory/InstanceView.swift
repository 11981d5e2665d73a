internal import SalvorJSON

/// A machine's state at this moment. Empty for one that was listed without it.
package struct InstanceView: Hashable, Sendable {
    package enum Power: String, Hashable, Sendable, Codable {
        case starting
        case running
        case stopping
        /// Off by the guest or by powerOff: its place is kept and paid.
        case stopped
        case deallocating
        case deallocated
        /// Azure did not say, or said something new.
        case unknown
    }

    /// The agent inside Windows, as Azure last heard of it.
    package struct Agent: Hashable, Sendable {
        /// `Ready`, `Not Ready`; Azure's words.
        package var status: String
        package var message: String?
        /// When it was last heard of, RFC 3339.
        package var time: String?
        package var version: String?

        package var isReady: Bool { status.lowercased() == "ready" }
    }

    package var power: Power
    /// nil where the machine does not run or never had an agent.
    package var agent: Agent?
    /// `V1` or `V2`.
    package var generation: String?
    package var computerName: String?
    /// `Windows Server 2022 Datacenter`, from the agent.
    package var osName: String?
    /// Errors among the machine's own statuses: `ProvisioningState/failed/…` with its message.
    package var failures: [String]

    /// - Parameter json: `properties.instanceView`, or the answer of `…/instanceView`.
    init(_ json: JSONValue?) {
        let statuses = json?["statuses"]?.array ?? []
        let codes = statuses.compactMap { $0["code"]?.string }
        let power = codes.last { $0.lowercased().hasPrefix("powerstate/") }?.dropFirst("PowerState/".count)
        self.power = power.flatMap { Power(rawValue: $0.lowercased()) } ?? .unknown
        agent = Agent(json?["vmAgent"])
        generation = json?["hyperVGeneration"]?.string
        computerName = json?["computerName"]?.string
        osName = json?["osName"]?.string
        failures = statuses.filter { $0["level"]?.string == "Error" }.map { status in
            [status["code"]?.string, status["message"]?.string].compactMap { $0 }.joined(separator: ": ")
        }
    }
}

extension InstanceView.Agent {
    fileprivate init?(_ json: JSONValue?) {
        guard let json, let status = json["statuses"]?.array?.first else { return nil }
        self.status = status["displayStatus"]?.string ?? status["code"]?.string ?? "unknown"
        message = status["message"]?.string
        time = status["time"]?.string
        version = json["vmAgentVersion"]?.string
    }
}
