package import SalvorCoordinatorCore
import SalvorJSON

extension AzureProvider {
    private static let deletionLimit = Duration.seconds(600)

    package func deleteOriginal(of swap: Swap) async throws(ProviderError) {
        let original = try Self.id(swap.original)
        let repaired = try Self.id(swap.repaired)
        let arm = arm.within(Self.deletionLimit)
        try await providing { () throws(AzureError) in
            guard let disk = try await arm.find("\(original)", .disks) else { return }
            if let owner = disk["managedBy"]?.string {
                throw kept(original, "it belongs to \(owner)", "Detach it there, or keep it.")
            }
            try await requireHealthy(swap.machine, with: repaired, keeping: original, arm)
            try await arm.delete("\(original)", .disks)
        }
    }

    /// Looks at the machine that has the repaired disk now: at this moment, whatever it was like when it was rescued.
    private func requireHealthy(
        _ name: String, with repaired: ResourceID, keeping original: ResourceID, _ arm: ARMClient
    ) async throws(AzureError) {
        let owner = try await arm.find("\(repaired)", .disks)?["managedBy"]?.string.flatMap { ResourceID($0) }
        guard let owner else {
            throw kept(
                original, "no machine has the repaired disk \(repaired.name)", "Find out who took it from \(name).")
        }
        let machine = try BrokenVM(try await arm.get("\(owner)", .compute, query: ["$expand": "instanceView"]))
        guard machine.osDisk.id == repaired else {
            throw kept(
                original, "\(machine.name) has the repaired disk \(repaired.name), but not as its OS disk",
                "Find out who changed that.")
        }
        let suspicion = Suspicion(machine)
        guard suspicion.verdict == .looksWell else {
            throw kept(
                original,
                "\(machine.name) does not run well with its repaired disk. \(suspicion.reasons.joined(separator: " "))",
                "Start it and see to it, then repeat this; or roll the run back.")
        }
    }

    private func kept(_ disk: ResourceID, _ why: String, _ nextStep: String) -> AzureError {
        AzureError(
            .conflict, "The original disk \(disk.name) is kept: \(why)\(why.hasSuffix(".") ? "" : ".")",
            nextStep: nextStep)
    }
}
