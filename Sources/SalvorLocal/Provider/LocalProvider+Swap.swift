package import SalvorCoordinatorCore
import FoundationEssentials
import SalvorQEMU
internal import SalvorSystem
import SystemPackage

extension LocalProvider {
    package func swap(_ machine: Machine, to copy: RepairCopy) async throws(ProviderError) -> Swap {
        let definition = try await inventory.definition(named: machine.name)
        let repaired = try Self.disk(copy.disk)
        let original = try Self.disk(machine.osDisk)
        let swap = Swap(machine: machine.name, original: machine.osDisk, repaired: copy.disk)
        if definition.disk == repaired { return swap }
        guard definition.disk == original else {
            throw ProviderError(
                .conflict,
                "\(definition.file) gives \(machine.name) the disk \(definition.disk.path), which is neither the one that "
                    + "was copied (\(original.path)) nor the copy. It was left as it is.",
                nextStep: "Find out who changed the definition, then resume the run or roll it back.")
        }
        let replaced = MachineDefinition.OriginalDisk(
            disk: original, replacedByRun: copy.name.run,
            at: Date().formatted(.iso8601), previous: definition.originalDisk.map { .some($0) } ?? .none)
        try await rewrite(definition, disk: repaired, original: replaced)
        return swap
    }

    package func swapBack(_ swap: Swap) async throws(ProviderError) {
        let definition = try await inventory.definition(named: swap.machine)
        let original = try Self.disk(swap.original)
        if definition.disk == original { return }
        guard definition.disk == (try Self.disk(swap.repaired)), let replaced = definition.originalDisk,
            replaced.disk == original
        else {
            throw ProviderError(
                .conflict,
                "\(definition.file) gives \(swap.machine) the disk \(definition.disk.path), which this run did not swap in. "
                    + "It was left as it is.",
                nextStep: "Put \(original.path) back by hand, if the machine is to have it.")
        }
        var previous: MachineDefinition.OriginalDisk?
        if case .some(let earlier) = replaced.previous { previous = earlier }
        try await rewrite(definition, disk: original, original: previous)
    }

    private func rewrite(
        _ definition: MachineDefinition, disk: MachineDefinition.Disk, original: MachineDefinition.OriginalDisk?
    ) async throws(ProviderError) {
        try await Blocking.run { () throws(ProviderError) in
            do {
                try DefinitionFile(path: definition.file).replaceDisk(with: disk, original: original)
            } catch let error as YAMLMistake {
                throw error.providerError
            } catch {
                throw ProviderError(
                    .failed, "\(definition.file) could not be rewritten; it is as it was.",
                    nextStep: "Check that the file and its folder may be written, then resume the run.", cause: error)
            }
        }
    }
}
