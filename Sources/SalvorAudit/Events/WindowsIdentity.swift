/// What a Windows installation's registry says of it. Words of the disk's, empty where it has none.
package struct WindowsIdentity: Hashable, Sendable, Codable {
    /// How a registry hive was found.
    package struct Hive: Hashable, Sendable, Codable {
        package var name: String
        /// clean, recovered, unrecovered, corrupt, missing.
        package var state: String
        package var detail: String

        package init(name: String, state: String, detail: String) {
            self.name = name
            self.state = state
            self.detail = detail
        }
    }

    package var computerName = ""
    package var product = ""
    /// Build and update revision, such as 17763.6054.
    package var build = ""
    package var falconVersion = ""
    /// What Windows was to do before it was used again.
    package var pendingReboot: [String] = []
    package var scheduledChecks: [String] = []
    package var hives: [Hive] = []
    /// How the boot manager's default entry starts it: off, minimal, network, other, unreadable; nil where no boot manager's
    /// hive was found.
    package var safeBoot: String?
    /// Why some or all of this could not be read.
    package var problem = ""

    package init() {}

    /// One line for people.
    package var summary: String {
        var parts: [String] = []
        if !computerName.isEmpty { parts.append(computerName) }
        if !product.isEmpty { parts.append(product) }
        if !build.isEmpty { parts.append("build \(build)") }
        if !falconVersion.isEmpty { parts.append("Falcon sensor \(falconVersion)") }
        if !pendingReboot.isEmpty { parts.append("waits for a restart (\(pendingReboot.joined(separator: ", ")))") }
        if !scheduledChecks.isEmpty { parts.append("is to check a disk (\(scheduledChecks.joined(separator: ", ")))") }
        if let safeBoot, safeBoot != "off" { parts.append("safe boot \(safeBoot)") }
        for hive in hives where hive.state != "clean" {
            parts.append("hive \(hive.name) \(hive.state): \(hive.detail)")
        }
        if parts.isEmpty { parts.append(problem) }
        return parts.joined(separator: "; ")
    }
}
