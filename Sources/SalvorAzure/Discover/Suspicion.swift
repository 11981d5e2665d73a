/// How a machine looks from outside. Azure cannot see a blue screen: it sees that a machine runs and that nothing inside
/// of it answers.
package struct Suspicion: Hashable, Sendable {
    package enum Verdict: String, Hashable, Sendable, Codable, CaseIterable {
        /// It runs, its agent does not answer, and it has the sensor that breaks machines.
        case looksBroken
        /// It runs and its agent does not answer, for whatever reason.
        case mayBeBroken
        /// It does not run, so that nothing can be seen.
        case notRunning
        /// It is being started, stopped or changed: look again.
        case changing
        case looksWell
    }

    package var machine: BrokenVM
    package var verdict: Verdict
    /// Whether an extension of CrowdStrike's is seen. The sensor may have been installed in another way.
    package var hasFalcon: Bool
    /// Whole sentences.
    package var reasons: [String]

    package init(_ machine: BrokenVM) {
        self.machine = machine
        let falcon = machine.extensions.first(where: \.isFalcon)
        hasFalcon = falcon != nil
        let state = machine.provisioningState
        switch machine.view.power {
        case .running where Self.isUnderChange(state):
            verdict = .changing
            reasons = ["It is being changed: its state is \(state)."]
        case .running:
            if let agent = machine.view.agent, agent.isReady {
                verdict = .looksWell
                reasons = ["It runs, and its agent is ready."]
            } else {
                verdict = hasFalcon ? .looksBroken : .mayBeBroken
                reasons = [Self.silence(machine.view.agent)]
            }
        case .starting, .stopping, .deallocating:
            verdict = .changing
            reasons = ["It is \(machine.view.power.rawValue)."]
        case .stopped, .deallocated:
            verdict = .notRunning
            reasons = ["It is \(machine.view.power.rawValue): whether it boots cannot be seen."]
        case .unknown:
            verdict = .changing
            reasons = ["Azure does not say whether it runs."]
        }
        if let falcon {
            reasons.append("The extension \(falcon.name) has CrowdStrike's sensor on it.")
        } else if verdict == .mayBeBroken {
            reasons.append("No extension of CrowdStrike's is seen; its sensor may have been installed in another way.")
        }
        if state.lowercased() == "failed" { reasons.append("Its last change failed.") }
        reasons += machine.view.failures
    }

    private static func isUnderChange(_ state: String) -> Bool {
        ["creating", "updating", "deleting", "migrating"].contains(state.lowercased())
    }

    private static func silence(_ agent: InstanceView.Agent?) -> String {
        guard let agent else { return "It runs, and nothing is heard of its agent." }
        let time = agent.time.map { " as of \($0)" } ?? ""
        let message = agent.message.map { ": \($0)" } ?? "."
        return "It runs, and its agent is “\(agent.status)”\(time)\(message)"
    }
}

/// Which machines are looked at.
package struct DiscoveryFilter: Hashable, Sendable {
    package struct Tag: Hashable, Sendable {
        package var name: String
        /// nil for any.
        package var value: String?

        /// - Parameter text: NAME or NAME=VALUE.
        package init(_ text: String) {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            name = parts[0]
            value = parts.count > 1 ? parts[1] : nil
        }
    }

    /// All of them.
    package var tags: [Tag]
    /// Any of them, as `westeurope` or `West Europe`; none for all.
    package var locations: [String]

    package init(tags: [Tag] = [], locations: [String] = []) {
        self.tags = tags
        self.locations = locations
    }

    func takes(_ machine: BrokenVM) -> Bool {
        // Names of tags are without case, values are not.
        let tags = Dictionary(machine.tags.map { ($0.key.lowercased(), $0.value) }) { first, _ in first }
        return self.tags.allSatisfy { tag in
            tags[tag.name.lowercased()].map { tag.value == nil || tag.value == $0 } ?? false
        } && (locations.isEmpty || locations.contains { Self.plain($0) == Self.plain(machine.location) })
    }

    private static func plain(_ location: String) -> String { location.lowercased().filter { $0 != " " } }
}
