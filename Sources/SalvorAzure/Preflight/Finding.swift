package import SalvorCoordinatorCore

/// Something that a look at a machine brought up before anything was changed.
package struct Finding: Hashable, Sendable {
    package enum Weight: Hashable, Sendable {
        /// A rescue would fail or do harm.
        case forbids(ProviderError.Code)
        case remarks
    }

    /// The check that found it: `locks`, `quota`, ….
    package var check: String
    package var weight: Weight
    package var message: String
    /// What the operator can do next; empty for a remark that asks for nothing.
    package var nextStep: String

    package var forbids: Bool { weight != .remarks }

    /// For a list: the message and what to do next.
    package var text: String { nextStep.isEmpty ? message : "\(message) \(nextStep)" }
}

extension ProviderError {
    /// The error that a finding is where it forbids a rescue.
    package init?(_ finding: Finding) {
        guard case .forbids(let code) = finding.weight else { return nil }
        self.init(code, finding.message, nextStep: finding.nextStep)
    }
}
