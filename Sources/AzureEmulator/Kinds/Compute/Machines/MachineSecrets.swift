internal import SalvorJSON

/// What a machine is told once and Azure never shows again.
enum MachineSecrets {
    private static let longestCustomData = 87_380
    private static let longestUserData = 87_384

    /// Takes secrets out of the body; what the guest may read stays in the notes.
    /// - Throws: for data that are no base64 or too long.
    static func hide(_ record: inout Record) throws(ARMError) {
        if record.body[path: "properties.osProfile.adminPassword"] != nil {
            record.body[path: "properties.osProfile.adminPassword"] = nil
        }
        if let data = record.body[path: "properties.osProfile.customData"]?.string {
            guard data.utf8.count <= longestCustomData, Base64.decode(data) != nil else {
                throw .invalidParameter(
                    "customData",
                    "Custom data in OSProfile must be in Base64 encoding and with a maximum length of "
                        + "\(longestCustomData) characters.")
            }
            record.hidden[path: "customData"] = .string(data)
            record.body[path: "properties.osProfile.customData"] = nil
        }
        if let data = record.body[path: "properties.userData"]?.string {
            guard data.utf8.count <= longestUserData, Base64.decode(data) != nil else {
                throw .invalidParameter(
                    "userData",
                    "User data must be in Base64 encoding and with a maximum length of \(longestUserData) "
                        + "characters.")
            }
        }
    }
}
