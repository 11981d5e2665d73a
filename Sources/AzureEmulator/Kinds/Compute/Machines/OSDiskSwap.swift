internal import SalvorJSON

/// The exchange of a machine's OS disk for another, which must be one that the machine could have been made with.
struct OSDiskSwap {
    let machine: Record
    /// Ids.
    let old: String
    let new: String

    func check(in state: EmulatorState) throws(ARMError) {
        guard let newID = ResourceID(new), let disk = state[newID] else {
            throw ARMError(404, "NotFound", "Disk \(printable(new)) is not found.", target: new)
        }
        guard let old = ResourceID(old).flatMap({ state[$0] }) else { return }
        // The older Azure Disk Encryption (with an application's identity) keeps its settings in the machine. The newer keeps
        // them with the disk; there az vm repair swaps, and so it is taken that Azure does.
        if machine.body[path: "properties.storageProfile.osDisk.encryptionSettings.enabled"]?.bool == true {
            throw ARMError(
                409, "OSDiskSwapNotSupportedForVMsUsingDiskEncryption",
                "OS disk swap is not supported for VMs that use Azure Disk Encryption, as VM '\(machine.id.name)' does.",
                target: "osDisk")
        }
        try checkSame("properties.osType", "osType", old, disk)
        try checkSame("properties.hyperVGeneration", "hyperVGeneration", old, disk, standard: "V1")
        try checkSame("properties.securityProfile.securityType", "securityType", old, disk, standard: "Standard")
        try checkSame("properties.encryption.diskEncryptionSetId", "diskEncryptionSet", old, disk, standard: "")
    }

    private func checkSame(
        _ path: String, _ name: String, _ old: Record, _ new: Record, standard: String? = nil
    ) throws(ARMError) {
        let was = old.body[path: path]?.string ?? standard
        let asked = new.body[path: path]?.string ?? standard
        guard was == nil || was?.lowercased() == asked?.lowercased() else {
            throw ARMError(
                409, "PropertyChangeNotAllowed",
                "Changing property 'osDisk.\(name)' is not allowed: disk '\(new.id.name)' has '\(asked ?? "")', and the disk "
                    + "that it would replace in VM '\(machine.id.name)' has '\(was ?? "")'.", target: "osDisk.\(name)")
        }
    }
}
