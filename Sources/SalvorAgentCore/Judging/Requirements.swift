internal import SalvorMessages

extension Salvor_V1_Requirements {
    enum Check: Equatable {
        case met
        /// Why the recipe is not for this installation.
        case unmet(String)
        /// What cannot be read.
        case unknown(String)
    }

    func check(_ facts: Salvor_V1_WindowsFacts) -> Check {
        if buildFrom != 0 || buildBefore != 0 {
            guard facts.build != 0 else { return .unknown("its build cannot be read. \(facts.problem)") }
            guard facts.build >= buildFrom, buildBefore == 0 || facts.build < buildBefore else {
                let range =
                    buildBefore == 0
                    ? "from \(buildFrom) on"
                    : buildFrom == 0 ? "before \(buildBefore)" : "\(buildFrom) to \(buildBefore - 1)"
                return .unmet("The recipe is for builds \(range), and this is build \(facts.build).")
            }
        }
        if falcon, facts.services.isEmpty {
            guard facts.controlSet != 0 else { return .unknown("its services cannot be read. \(facts.problem)") }
            return .unmet("The recipe is for machines with a CrowdStrike sensor, and this one has none.")
        }
        return .met
    }
}

extension VolumeLook {
    /// Keeps every match where the recipe is not for this Windows.
    mutating func apply(_ requirements: Salvor_V1_Requirements) {
        guard let facts = installation?.facts else { return }
        let check = requirements.check(facts)
        guard check != .met else { return }
        for index in matches.indices { matches[index].finding.action = .keep }
        switch check {
        case .met: break
        case .unmet(let why): aside = why
        case .unknown(let what):
            error =
                error
                ?? AgentError(
                    .unknownWindows, "The recipe asks what Windows this is, and \(what)",
                    next: "Look at the hives in the report, or use a recipe that asks for less.")
        }
    }
}
