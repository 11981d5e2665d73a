internal import SalvorAudit
internal import SalvorAzure

/// What `salvor discover` prints.
struct DiscoverOutput: Encodable {
    struct Machine: Encodable {
        /// As `salvor rescue` takes it.
        var name: String
        var id: String
        var location: String
        var size: String
        var power: String
        var agent: String?
        var falcon: Bool
        var verdict: Suspicion.Verdict
        var reasons: [String]
        var screenshot: String?
        var consoleLog: String?
    }

    var machines: [Machine]
    /// The machines that were looked at.
    var looked: Int

    init(_ suspicions: [Suspicion], screens: [ResourceID: Discovery.Screen], among looked: Int) {
        self.looked = looked
        machines = suspicions.map { one in
            let machine = one.machine
            let screen = screens[machine.id]
            return Machine(
                name: "\(machine.resourceGroup)/\(machine.name)", id: machine.id.text, location: machine.location,
                size: machine.size, power: machine.view.power.rawValue, agent: machine.view.agent?.status,
                falcon: one.hasFalcon, verdict: one.verdict, reasons: one.reasons + (screen?.remarks ?? []),
                screenshot: screen?.screenshot, consoleLog: screen?.consoleLog)
        }
        // What most probably needs help comes first, each kind by name.
        let order = Suspicion.Verdict.allCases
        machines.sort { one, other in
            let places = (order.firstIndex(of: one.verdict) ?? 0, order.firstIndex(of: other.verdict) ?? 0)
            return places.0 == places.1 ? one.name < other.name : places.0 < places.1
        }
    }

    func print(_ format: OutputFormat) throws {
        switch format {
        case .json: StandardStreams.print(try JSONOutput.render(self))
        case .table: StandardStreams.print(table)
        }
    }

    private var table: String {
        let sum = "\(machines.count) of \(looked) Windows machine(s) listed."
        guard !machines.isEmpty else { return sum }
        var table = TextTable("MACHINE", "LOOKS", "REGION", "WHY")
        for machine in machines {
            table.add(
                printable(machine.name), machine.verdict.phrase, printable(machine.location),
                printable(machine.reasons.joined(separator: " ")))
        }
        let screens = machines.compactMap { machine in
            machine.screenshot.map { "\(printable(machine.name)): screen: \(printable($0))" }
        }
        return ([table.rendered] + screens + [sum]).joined(separator: "\n")
    }
}

extension Suspicion.Verdict {
    /// For people.
    fileprivate var phrase: String {
        switch self {
        case .looksBroken: "broken"
        case .mayBeBroken: "maybe broken"
        case .notRunning: "not running"
        case .changing: "being changed"
        case .looksWell: "well"
        }
    }
}
