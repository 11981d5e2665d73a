/// A rescue that is to be planned: machines that nothing forbids to rescue.
package struct PlannedRescue: Sendable {
    package var command: RunConfiguration.Command
    /// See ``RunConfiguration``.
    package var stopsFirst: Bool
    package var concurrentMachines: Int
    /// The machines of each rescue VM.
    package var hosts: [[Machine]]

    package init(
        command: RunConfiguration.Command = .rescue, stopsFirst: Bool = false, concurrentMachines: Int = 1,
        hosts: [[Machine]]
    ) {
        self.command = command
        self.stopsFirst = stopsFirst
        self.concurrentMachines = concurrentMachines
        self.hosts = hosts
    }

    package var machines: [Machine] { hosts.flatMap { $0 } }
}

/// What a rescue would change where the machines live, how long it would take and what it would cost.
package struct ProviderPlan: Hashable, Sendable, Codable {
    /// In the order of their beginning.
    package var changes: [PlannedChange]
    /// From the command to the last machine's boot; nil where there is no experience to estimate from.
    package var time: ExpectedTime?
    package var costs: [ExpectedCost]
    /// What the figures rest on.
    package var remarks: [String]

    package init(
        changes: [PlannedChange], time: ExpectedTime? = nil, costs: [ExpectedCost] = [], remarks: [String] = []
    ) {
        self.changes = changes
        self.time = time
        self.costs = costs
        self.remarks = remarks
    }
}

/// Something that will be changed, or may be.
package struct PlannedChange: Hashable, Sendable, Codable {
    /// `PUT`, `POST`; `create`, `start`.
    package var verb: String
    /// Parts of a name that only the run decides are `…`.
    package var resource: String
    package var purpose: String
    /// How often it is done at least: 0 for what may not be necessary.
    package var least: Int
    package var most: Int

    package init(_ verb: String, _ resource: String, _ purpose: String, _ times: ClosedRange<Int> = 1...1) {
        self.verb = verb
        self.resource = resource
        self.purpose = purpose
        least = times.lowerBound
        most = times.upperBound
    }
}

package struct ExpectedTime: Hashable, Sendable, Codable {
    package var leastSeconds: Int
    package var mostSeconds: Int

    package init(leastSeconds: Int, mostSeconds: Int) {
        self.leastSeconds = leastSeconds
        self.mostSeconds = mostSeconds
    }
}

package struct ExpectedCost: Hashable, Sendable, Codable {
    package enum Per: String, Hashable, Sendable, Codable {
        case run
        /// For as long as it is kept.
        case day
    }

    package var what: String
    /// nil where no price is known.
    package var dollars: Double?
    package var per: Per

    package init(_ what: String, dollars: Double?, per: Per) {
        self.what = what
        self.dollars = dollars
        self.per = per
    }
}
