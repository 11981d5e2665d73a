internal import SalvorCoordinatorCore
internal import SalvorJSON

/// Encryption at rest, which the copy must share, and encryption inside the guest, which needs a key.
struct EncryptionCheck: PreflightCheck {
    let name = "encryption"

    func findings(_ subject: PreflightSubject) async throws(AzureError) -> [Finding] {
        var findings = try await guest(subject)
        let sets = Set([subject.machine.disk?.encryptionSet, subject.machine.osDisk.encryptionSet].compactMap { $0 })
        for set in sets.sorted(by: { $0.text < $1.text }) { findings += try await atRest(set, subject) }
        return findings
    }

    private func guest(_ subject: PreflightSubject) async throws(AzureError) -> [Finding] {
        let machine = subject.machine
        if machine.osDisk.encryption?.isEnabled == true || machine.disk?.encryption?.version?.hasPrefix("1.0") == true {
            return [
                forbid(
                    .unsupported,
                    "\(machine.name) is encrypted by Azure Disk Encryption with an application's identity, the older way, for "
                        + "which Azure refuses to swap OS disks.",
                    "Migrate it to the newer way, or repair it with its own disk attached to a machine by hand.")
            ]
        }
        guard let encryption = machine.disk?.encryption, encryption.isEnabled else {
            guard machine.extensions.contains(where: \.isDiskEncryption) else { return [] }
            return [
                remark(
                    "\(machine.name) has the extension AzureDiskEncryption, and its OS disk shows no encryption: data "
                        + "disks may be encrypted.")
            ]
        }
        let encrypted = "The OS disk of \(machine.name) is encrypted inside by Azure Disk Encryption"
        if subject.settings.unlocksDisks { return try await keys(encryption, encrypted, subject) }
        if subject.settings.hasOtherKeys {
            return [remark("\(encrypted): one of the keys that are given has to open it.")]
        }
        return [
            forbid(
                .unsupported, "\(encrypted), and it was not said where its key comes from.",
                "With --unlock-encrypted-vm it is read from \(places(encryption)); with --keys a recovery key comes from a "
                    + "file.")
        ]
    }

    /// Reads each key, and forgets it: that it can be read now is the best sign that it can be read when it is needed.
    private func keys(
        _ encryption: GuestEncryption, _ encrypted: String, _ subject: PreflightSubject
    ) async throws(AzureError) -> [Finding] {
        guard !encryption.keys.isEmpty else {
            return [
                forbid(
                    .unsupported, "\(encrypted), and its settings name no key.", "Give a recovery key with --keys.")
            ]
        }
        for key in encryption.keys {
            do throws(AzureError) {
                _ = try await subject.facts.vaults.startupKey(key)
            } catch {
                if error.code == .cancelled { throw error }
                return [forbid(.unsupported, "\(encrypted). \(error.message)", error.nextStep)]
            }
        }
        return [remark("\(encrypted); its key can be read from \(places(encryption)).")]
    }

    private func places(_ encryption: GuestEncryption) -> String {
        let names = encryption.keys.flatMap { [$0.vault, $0.wrappingVault] }.compactMap { $0?.name }
        return names.isEmpty ? "its key vault" : "the key vault " + Set(names).sorted().joined(separator: " and ")
    }

    private func atRest(_ id: ResourceID, _ subject: PreflightSubject) async throws(AzureError) -> [Finding] {
        guard let set = try await subject.facts.encryptionSet(id) else {
            return [
                forbid(
                    .unsupported, "The disk encryption set \(id) is not there, so that the disk cannot be copied.",
                    "Restore the set and its key.")
            ]
        }
        let state = set["properties"]?["provisioningState"]?.string ?? "Succeeded"
        guard state.lowercased() != "succeeded" else { return [] }
        return [
            remark(
                "The disk encryption set \(id.name) is \(state): Azure may refuse to copy the disk.",
                "Check its key and its access to the key vault.")
        ]
    }
}
