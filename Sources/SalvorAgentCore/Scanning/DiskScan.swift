internal import SalvorMessages
internal import SwiftProtobuf

/// Looks at every volume of one disk and says what Apply could do there. Changes no byte.
struct DiskScan: Sendable {
    let mounter: VolumeMounter
    let recipe: Salvor_V1_Recipe
    let stop: StopSignal

    /// libblkid's names.
    private static let ntfs = "ntfs"
    private static let bitLocker = "BitLocker"

    /// - Throws: ``AgentError/Code/cancelled``, ``AgentError/Code/stillMounted``.
    func run(on disk: Salvor_V1_Disk) async throws(AgentError) -> Salvor_V1_ScanResponse {
        let inspector = VolumeInspector(mounter: mounter, recipe: recipe, stop: stop)
        var looks: [VolumeLook] = []
        for volume in disk.volumes where volume.fileSystem == Self.ntfs {
            looks.append(try await inspector.look(at: volume))
        }
        let locked = disk.volumes.filter { $0.fileSystem == Self.bitLocker }
        let outcome = outcome(on: disk, looks, locked: locked)
        return .with {
            $0.disk = disk
            $0.installations =
                looks.compactMap(\.installation)
                + locked.map { volume in
                    .with {
                        $0.volumeNumber = volume.number
                        $0.partitionGuid = volume.partitionGuid
                        $0.volumeState = .locked
                    }
                }
            $0.findings = looks.flatMap(\.findings)
            $0.outcome = outcome
        }
    }

    private func outcome(on disk: Salvor_V1_Disk, _ looks: [VolumeLook], locked: [Salvor_V1_Volume])
        -> Salvor_V1_Outcome
    {
        // What no one may choose, and what fails inside a Windows, comes before all that the rest could say.
        if let look = looks.first(where: {
            $0.error != nil && ($0.installation != nil || $0.error?.isAmbiguous == true)
        }),
            let error = look.error
        {
            return .ended(by: error, in: "match", where: look.name)
        }
        let toRepair = looks.filter { !$0.filesToGo.isEmpty }
        if let look = toRepair.first(where: { !isRepairable($0.state) }) { return unclean(look) }
        let asides = asides(looks, locked)
        if !toRepair.isEmpty { return repairable(toRepair, asides) }
        if let look = looks.first(where: { $0.state == .hibernated || $0.state == .corrupt }) { return unclean(look) }
        let installed = looks.filter { $0.installation != nil }
        if !installed.isEmpty { return nothing(installed, asides) }
        if let look = looks.first(where: { $0.error != nil }), let error = look.error {
            return .ended(by: error, in: "mount", where: look.name)
        }
        if !locked.isEmpty {
            return .with {
                $0.kind = .locked
                $0.message =
                    "\(Self.list(locked)) is locked by BitLocker, and no other volume holds Windows. Nothing was changed."
                $0.nextStep =
                    "Give the volume's recovery key or password, or suspend BitLocker before copying the disk."
            }
        }
        return .with {
            $0.kind = .notWindows
            $0.message =
                looks.isEmpty
                ? "\(disk.device) has no NTFS volume among its \(disk.volumes.count) volumes. Nothing was changed."
                : "No NTFS volume of \(disk.device) holds Windows\\System32\\config\\SYSTEM. Nothing was changed."
            $0.nextStep = "Check that this is the machine's OS disk."
        }
    }

    private func isRepairable(_ state: Salvor_V1_VolumeState) -> Bool {
        state == .clean || (state == .unclean && recipe.volumePolicy.resetLog)
    }

    private func unclean(_ look: VolumeLook) -> Salvor_V1_Outcome {
        .with {
            let what =
                switch look.state {
                case .hibernated:
                    (
                        "is hibernated, or Fast Startup is on",
                        "Start Windows, shut it down fully (shutdown /s /f /t 0), and copy the disk again."
                    )
                case .corrupt: ("has damaged NTFS structures", "Run chkdsk on a copy in Windows, or restore a backup.")
                default:
                    (
                        "was not shut down cleanly, and the recipe does not allow its log to be reset",
                        "Set reset_log in the recipe's volume policy, if losing what the log holds is acceptable."
                    )
                }
            $0.kind = .unclean
            $0.message =
                "Windows on \(look.name) \(what.0); what would have to go: \(look.filesToGo.count) file(s). Nothing was changed."
            $0.nextStep = what.1
        }
    }

    private func repairable(_ looks: [VolumeLook], _ asides: String) -> Salvor_V1_Outcome {
        .with {
            let count = looks.reduce(0) { $0 + $1.filesToGo.count }
            $0.kind = .repairable
            $0.message =
                "\(count) \(count == 1 ? "file has" : "files have") to go on \(looks.map(\.name).joined(separator: " and "))."
                + asides + " Nothing was changed."
            $0.nextStep = "Apply the recipe."
        }
    }

    private func nothing(_ looks: [VolumeLook], _ asides: String) -> Salvor_V1_Outcome {
        .with {
            let findings = looks.flatMap(\.findings)
            let what =
                if findings.isEmpty {
                    "No file matches the recipe"
                } else if findings.allSatisfy({ $0.verdict == .corrected }) {
                    "Only corrected files match the recipe (\(findings.count))"
                } else {
                    "\(findings.count) files match the recipe and none of them is to go"
                }
            let log = looks.contains { $0.state == .unclean } ? " It was not shut down cleanly." : ""
            $0.kind = .nothingToRepair
            $0.message =
                "\(what) on \(looks.map(\.name).joined(separator: " and ")).\(log)\(asides) Nothing was changed."
            $0.nextStep = "If the machine does not boot, its fault is another: look at its console."
        }
    }

    /// What was not looked at, because whoever reads "nothing to repair" must know.
    private func asides(_ looks: [VolumeLook], _ locked: [Salvor_V1_Volume]) -> String {
        var text = locked.isEmpty ? "" : " \(Self.list(locked)) is locked by BitLocker and was not looked at."
        for look in looks {
            if let error = look.error { text += " \(look.name) could not be looked at: \(error.message)" }
        }
        return text
    }

    private static func list(_ volumes: [Salvor_V1_Volume]) -> String {
        volumes.map { "Volume \($0.number) (\($0.device))" }.joined(separator: ", ")
    }
}
