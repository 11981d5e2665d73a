/// What the hives of a machine say that CrowdStrike's sensor runs on.
package struct WindowsRegistry: Sendable {
    package var computerName = "WEB-01"
    package var productName = "Windows Server 2019 Datacenter"
    package var editionID = "ServerDatacenter"
    package var build = "17763"
    package var revision: UInt32 = 6054
    package var falconVersion = "7.16.18605.0"
    /// Windows was to rename files before it next started.
    package var hasPendingRenames = false
    /// A check of C: was asked for.
    package var schedulesCheck = false
    /// SYSTEM was not closed: its computer name is in the log alone.
    package var isInterrupted = false

    package init() {}

    package init(_ change: (inout WindowsRegistry) -> Void) { change(&self) }

    package var software: HiveMaker.Keys {
        [
            "Microsoft\\Windows NT\\CurrentVersion": [
                "ProductName": .text(productName), "EditionID": .text(editionID), "CurrentBuild": .text(build),
                "InstallationType": .text("Server"), "ReleaseId": .text("1809"), "UBR": .number(revision),
            ],
            "Microsoft\\Windows\\CurrentVersion\\Uninstall\\{2d4a1a5b-0719-4409-8527-000000000291}": [
                "DisplayName": .text("CrowdStrike Windows Sensor"), "DisplayVersion": .text(falconVersion),
            ],
            "Microsoft\\Windows\\CurrentVersion\\Uninstall\\Contoso": ["DisplayName": .text("Contoso")],
        ]
    }

    package var system: HiveMaker.Keys { system(named: computerName) }

    private func system(named name: String) -> HiveMaker.Keys {
        var manager: [String: HiveMaker.Value] = [
            "BootExecute": .texts(["autocheck autochk *"] + (schedulesCheck ? ["autocheck autochk /f \\??\\C:"] : []))
        ]
        if hasPendingRenames { manager["PendingFileRenameOperations"] = .texts(["\\??\\C:\\old", "\\??\\C:\\new"]) }
        return [
            "Select": [
                "Current": .number(1), "Default": .number(1), "LastKnownGood": .number(2), "Failed": .number(0),
            ],
            "ControlSet001\\Control\\ComputerName\\ComputerName": ["ComputerName": .text(name)],
            "ControlSet001\\Control\\Session Manager": manager,
            "ControlSet001\\Services\\CSAgent": [
                "Start": .number(1),
                "ImagePath": .text("\\??\\C:\\Windows\\system32\\drivers\\CrowdStrike\\csagent.sys"),
            ],
            "ControlSet001\\Services\\CSFalconService": ["Start": .number(2)],
        ]
    }

    /// By name below Windows\System32\config.
    package func files() throws -> [String: [UInt8]] {
        var files = ["SOFTWARE": try HiveMaker.make(software)]
        guard isInterrupted else {
            files["SYSTEM"] = try HiveMaker.make(system)
            return files
        }
        let (hive, log) = try HiveMaker.interrupted(before: system(named: "MINWINPC"), after: system)
        files["SYSTEM"] = hive
        files["SYSTEM.LOG1"] = log
        files["SYSTEM.LOG2"] = []
        return files
    }
}
