/// What a Windows installation's registry says of it.
package struct WindowsFacts: Hashable, Sendable {
    /// A driver or service, as the current control set has it.
    package struct Service: Hashable, Sendable {
        package var name: String
        /// 0 boot, 1 system, 2 automatic, 3 on demand, 4 disabled.
        package var start: UInt32
        package var imagePath: String
    }

    // SOFTWARE
    package var productName = ""
    package var editionID = ""
    package var installationType = ""
    package var displayVersion = ""
    package var build: UInt32 = 0
    /// Update build revision.
    package var revision: UInt32 = 0
    package var falconVersion = ""

    // SYSTEM
    package var computerName = ""
    package var controlSet: UInt32 = 0
    package var falconServices: [Service] = []
    /// What Windows was to do before it next started for users: the names of the keys and values that say so.
    package var pendingReboot: [String] = []
    /// BootExecute's entries that check a disk.
    package var scheduledChecks: [String] = []

    package init() {}

    private static let falconServiceNames = ["CSAgent", "CSBoot", "CSDeviceControl", "CSFalconService"]

    package mutating func readSoftware(_ hive: borrowing Hive) {
        if let version = hive.key(["Microsoft", "Windows NT", "CurrentVersion"]) {
            productName = hive.text("ProductName", of: version) ?? ""
            editionID = hive.text("EditionID", of: version) ?? ""
            installationType = hive.text("InstallationType", of: version) ?? ""
            displayVersion = hive.text("DisplayVersion", of: version) ?? hive.text("ReleaseId", of: version) ?? ""
            build =
                (hive.text("CurrentBuild", of: version) ?? hive.text("CurrentBuildNumber", of: version))
                .flatMap { UInt32($0) } ?? 0
            revision = hive.number("UBR", of: version) ?? 0
        }
        for path in [["Microsoft"], ["WOW6432Node", "Microsoft"]] {
            guard let list = hive.key(path + ["Windows", "CurrentVersion", "Uninstall"]) else { continue }
            for program in hive.children(of: list) {
                guard let name = hive.text("DisplayName", of: program), name.hasPrefix("CrowdStrike"),
                    name.contains("Sensor"), let version = hive.text("DisplayVersion", of: program),
                    falconVersion.isEmpty
                else { continue }
                falconVersion = version
            }
        }
        let servicing = ["Microsoft", "Windows", "CurrentVersion", "Component Based Servicing"]
        let update = ["Microsoft", "Windows", "CurrentVersion", "WindowsUpdate", "Auto Update"]
        for path in [
            servicing + ["RebootPending"], servicing + ["RebootInProgress"], servicing + ["PackagesPending"],
            update + ["RebootRequired"],
        ] where hive.key(path) != nil {
            pendingReboot.append(path.suffix(2).joined(separator: "\\"))
        }
    }

    /// The key of a control set, below the root of SYSTEM.
    package static func controlSet(_ number: UInt32) -> String {
        let digits = String(number)
        return "ControlSet" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    }

    package mutating func readSystem(_ hive: borrowing Hive) {
        guard let select = hive.key(["Select"]), let current = hive.number("Current", of: select), current < 1000 else {
            return
        }
        controlSet = current
        let set = Self.controlSet(current)
        if let key = hive.key([set, "Control", "ComputerName", "ComputerName"]) {
            computerName = hive.text("ComputerName", of: key) ?? ""
        }
        for name in Self.falconServiceNames {
            guard let key = hive.key([set, "Services", name]), let start = hive.number("Start", of: key) else {
                continue
            }
            falconServices.append(
                Service(name: name, start: start, imagePath: hive.text("ImagePath", of: key) ?? ""))
        }
        guard let manager = hive.key([set, "Control", "Session Manager"]) else { return }
        if let renames = hive.texts("PendingFileRenameOperations", of: manager), !renames.isEmpty {
            pendingReboot.append("Session Manager\\PendingFileRenameOperations")
        }
        // “autocheck autochk *” is how it always stands; a check that was asked for names the volume or a switch.
        scheduledChecks = (hive.texts("BootExecute", of: manager) ?? []).filter { entry in
            let words = entry.lowercased().split(separator: " ")
            return words.prefix(2) == ["autocheck", "autochk"] && words.dropFirst(2) != ["*"]
        }
    }
}
