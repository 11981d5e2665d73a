internal import SalvorJSON

/// Whether a machine has to say who its first user is: one of a generalized image has, and one of a specialised image or
/// disk cannot.
enum MachineImage {
    static func checkProfile(_ record: Record, in state: EmulatorState) throws(ARMError) {
        let hasProfile = record.body[path: "properties.osProfile"] ?? .null != .null
        let profile = StorageProfile(record.body)
        let isGeneralized: Bool
        if profile.createOption?.lowercased() == "attach" {
            isGeneralized = false
        } else if let reference = profile.body[member: "imageReference"], reference != .null {
            // Images of the marketplace are all generalized.
            let own = reference[member: "id"]?.string
            isGeneralized =
                try own.map { (id) throws(ARMError) in try !ImageReference(id, in: state).isSpecialized } ?? true
        } else {
            return
        }
        if isGeneralized, !hasProfile { throw .requiredParameter("osProfile") }
        if !isGeneralized, hasProfile {
            throw .invalidParameter("osProfile", "Parameter 'osProfile' is not allowed.")
        }
    }
}
