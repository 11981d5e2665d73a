internal import SalvorCoordinatorCore

/// Looks for what stands in the way of a rescue, with reads alone. Facts that a fleet shares (sizes, quotas, locks,
/// permissions, policies) are asked for once for each Preflight, so one should not outlive a run.
package struct Preflight: Sendable {
    /// In this order findings are shown, and the first that forbids is what a run fails with: what is wrong with the
    /// machine itself comes before what is wrong around it.
    static let checks: [any PreflightCheck] = [
        MachineCheck(), OSDiskCheck(), SecurityCheck(), EncryptionCheck(), LeftoverCheck(), LockCheck(), SizeCheck(),
        QuotaCheck(), PermissionCheck(), PolicyCheck(),
    ]

    package let settings: RescueSettings
    private let facts: PreflightFacts

    init(_ client: ARMClient, settings: RescueSettings, vaults: KeyVaultClient? = nil) {
        self.settings = settings
        facts = PreflightFacts(client: client, vaults: vaults)
    }

    /// - Returns: what was found, in the order of the checks. What could not be looked at for want of permission is a
    ///   remark.
    package func findings(for machine: BrokenVM) async throws(AzureError) -> [Finding] {
        let subject = PreflightSubject(machine: machine, settings: settings, facts: facts)
        return try await Self.checks.concurrentMap(atMost: Self.checks.count) { (check) async throws(AzureError) in
            do throws(AzureError) {
                return try await check.findings(subject)
            } catch {
                guard error.code == .forbidden else { throw error }
                return [
                    check.remark(
                        "Whether the \(check.name) allow a rescue could not be seen: \(error.message)", error.nextStep)
                ]
            }
        }.flatMap { $0 }
    }
}

/// What a check looks at.
struct PreflightSubject: Sendable {
    let machine: BrokenVM
    let settings: RescueSettings
    let facts: PreflightFacts
}

/// Looks at one thing, and changes nothing.
protocol PreflightCheck: Sendable {
    /// What it looks at, as a plural: `locks`.
    var name: String { get }

    func findings(_ subject: PreflightSubject) async throws(AzureError) -> [Finding]
}

extension PreflightCheck {
    func forbid(_ code: ProviderError.Code, _ message: String, _ nextStep: String) -> Finding {
        Finding(check: name, weight: .forbids(code), message: message, nextStep: nextStep)
    }

    func remark(_ message: String, _ nextStep: String = "") -> Finding {
        Finding(check: name, weight: .remarks, message: message, nextStep: nextStep)
    }
}
