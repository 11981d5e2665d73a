internal import SalvorMessages
internal import SwiftProtobuf

/// Looks at every volume of one disk and says what Apply could do there. Changes no byte.
struct DiskScan: Sendable {
    let mounter: VolumeMounter
    let access: VolumeAccess
    let store: QuarantineStore
    let recipe: Salvor_V1_Recipe
    let stop: StopSignal

    /// libblkid's names.
    private static let ntfs = "ntfs"

    /// What is seen of such a volume may not be what Windows would see: "nothing to repair" cannot be said of it, unless
    /// the operator gave up what is hidden.
    private static let hidesFiles: Set<Salvor_V1_VolumeState> = [.hibernated, .fastStartup, .corrupt]

    /// A volume that cannot be looked into, and what its metadata says.
    private struct Locked {
        var volume: Salvor_V1_Volume
        var metadata: FVEMetadata
    }

    /// - Throws: ``AgentError/Code/cancelled``, ``AgentError/Code/stillMounted``.
    func run(on disk: Salvor_V1_Disk) async throws(AgentError) -> Salvor_V1_ScanResponse {
        let badSectors = BadSectors()
        let entries = try await store.entriesToPutBack(recipe)
        let inspector = VolumeInspector(
            mounter: mounter, access: access, store: store, recipe: recipe, entries: entries, stop: stop)
        var looks: [VolumeLook] = []
        var locked: [Locked] = []
        var encrypted: [Salvor_V1_EncryptedVolume] = []
        for volume in disk.volumes where !VolumeKind.isPiece(volume) {
            if let metadata = await access.metadata(of: volume) {
                let isOpen = try await access.key(of: volume, metadata) != nil
                encrypted.append(metadata.message(for: volume, isUnlocked: isOpen))
                if !isOpen { locked.append(Locked(volume: volume, metadata: metadata)) }
                guard isOpen else { continue }
            } else if volume.fileSystem != Self.ntfs, !volume.isEFISystem {
                continue
            }
            looks.append(try await inspector.look(at: volume))
        }
        looks.settle(recipe.requires)
        var outcome = outcome(on: disk, looks, locked: locked)
        await badSectors.note(in: &outcome, of: disk)
        let end = outcome
        return .with {
            $0.disk = disk
            $0.installations =
                looks.installations
                + locked.map { locked in
                    .with {
                        $0.volumeNumber = locked.volume.number
                        $0.partitionGuid = locked.volume.partitionGuid
                        $0.volumeState = .locked
                    }
                }
            $0.findings = looks.flatMap(\.findings)
            $0.outcome = end
            $0.encrypted = encrypted
        }
    }

    private func outcome(on disk: Salvor_V1_Disk, _ looks: [VolumeLook], locked: [Locked]) -> Salvor_V1_Outcome {
        // What no one may choose, and what fails inside a Windows, comes before all that the rest could say.
        if let look = looks.first(where: {
            $0.error != nil && ($0.installation != nil || $0.error?.isAmbiguous == true)
        }),
            let error = look.error
        {
            return .ended(by: error, in: "match", where: look.name)
        }
        let toRepair = looks.filter { !$0.filesToChange.isEmpty }
        if let refused = toRepair.lazy.compactMap(refused).first { return refused }
        let asides = asides(looks, locked)
        if !toRepair.isEmpty { return repairable(toRepair, asides) }
        if let refused = looks.lazy.filter({ $0.installation != nil && Self.hidesFiles.contains($0.state) }).compactMap(
            refused
        ).first {
            return refused
        }
        let toCollect = looks.filter { !$0.filesToCollect.isEmpty }
        if !toCollect.isEmpty { return collectable(toCollect, asides) }
        let installed = looks.filter { $0.installation != nil }
        if !installed.isEmpty { return nothing(installed, asides) }
        if let look = looks.first(where: { $0.error != nil }), let error = look.error {
            return .ended(by: error, in: "mount", where: look.name)
        }
        // What a key can open comes before what none can.
        if let first = locked.first(where: { $0.metadata.state == .encrypted }) ?? locked.first {
            return .with {
                $0.kind = first.metadata.isLocked ? .locked : .cannotUnlock
                $0.message = "\(Self.list(locked)), and no other volume holds Windows. Nothing was changed."
                $0.nextStep = first.metadata.keysWanted
            }
        }
        return .with {
            $0.kind = .notWindows
            let others = disk.volumes.compactMap { volume in
                VolumeKind.name(of: volume).map { "volume \(volume.number) is \($0)" }
            }
            $0.message =
                (!looks.contains { !$0.volume.isFAT }
                    ? "\(disk.device) has no NTFS volume among its \(disk.volumes.count) volumes"
                    : "No NTFS volume of \(disk.device) holds Windows\\System32\\config\\SYSTEM")
                + (others.isEmpty ? "" : "; \(others.joined(separator: ", "))") + ". Nothing was changed."
            $0.nextStep = VolumeKind.nextStep(disk.volumes)
        }
    }

    /// - Returns: nil where the recipe repairs volumes in such a state.
    private func refused(_ look: VolumeLook) -> Salvor_V1_Outcome? {
        guard let refusal = recipe.volumePolicy.refusal(of: look.state) else { return nil }
        return .with {
            $0.kind = .unclean
            $0.message =
                "\(look.installation == nil ? "What is to be changed" : "Windows") on \(look.name) \(refusal.why). "
                + "\(look.stateDetail) "
                + "What would have to be changed: \(look.filesToChange.count) file(s). Nothing was changed."
            $0.nextStep = refusal.nextStep
        }
    }

    private func repairable(_ looks: [VolumeLook], _ asides: String) -> Salvor_V1_Outcome {
        .with {
            let gone = looks.reduce(0) { $0 + $1.filesToChange.count(where: \.isToGo) }
            let written = looks.reduce(0) { $0 + $1.filesToChange.count(where: \.isToWrite) }
            let what = [
                gone == 0 ? nil : "\(gone) \(gone == 1 ? "file has" : "files have") to go",
                written == 0 ? nil : "\(written) \(written == 1 ? "file is" : "files are") to be written",
            ]
            $0.kind = .repairable
            $0.message =
                "\(what.compactMap { $0 }.joined(separator: ", and ")) on \(looks.map(\.name).joined(separator: " and "))."
                + asides + " Nothing was changed."
            $0.nextStep = "Apply the recipe."
        }
    }

    private func collectable(_ looks: [VolumeLook], _ asides: String) -> Salvor_V1_Outcome {
        .with {
            let files = looks.flatMap(\.filesToCollect)
            $0.kind = .collected
            $0.message =
                "\(files.count) files with \(files.reduce(0) { $0 + $1.finding.sizeBytes }) bytes are to be copied from "
                + "\(looks.map(\.name).joined(separator: " and ")).\(asides) Nothing was changed."
            $0.nextStep = "Apply the recipe: it copies them, and changes nothing."
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
            let log = looks.filter { $0.state != .clean }.map { " \($0.stateDetail)" }.joined()
            $0.kind = .nothingToRepair
            $0.message =
                "\(what) on \(looks.map(\.name).joined(separator: " and ")).\(log)\(asides) Nothing was changed."
            $0.nextStep = "If the machine does not boot, its fault is another: look at its console."
        }
    }

    /// What was not looked at, because whoever reads "nothing to repair" must know.
    private func asides(_ looks: [VolumeLook], _ locked: [Locked]) -> String {
        var text = locked.isEmpty ? "" : " \(Self.list(locked)), and was not looked at."
        for look in looks {
            if !look.aside.isEmpty { text += " \(look.aside)" }
            if let error = look.error { text += " \(look.name) could not be looked at: \(error.message)" }
        }
        return text
    }

    private static func list(_ locked: [Locked]) -> String {
        locked.map { "Volume \($0.volume.number) (\($0.volume.device)) \($0.metadata.why)" }.joined(separator: "; ")
    }
}

extension [VolumeLook] {
    /// Each with how its boot manager starts it, where one volume of the disk has that on record.
    fileprivate var installations: [Salvor_V1_WindowsInstallation] {
        let known = Set(map(\.safeBoot)).subtracting([.unspecified])
        return compactMap(\.installation).map { installation in
            var installation = installation
            if known.count == 1, let only = known.first { installation.facts.safeBoot = only }
            return installation
        }
    }

    /// A volume without Windows is changed only where the recipe is for a Windows of the same disk.
    fileprivate mutating func settle(_ requirements: Salvor_V1_Requirements) {
        let facts = compactMap { $0.installation?.facts }
        guard requirements != Salvor_V1_Requirements(), !facts.contains(where: { requirements.check($0) == .met })
        else { return }
        for index in indices where self[index].installation == nil {
            for file in self[index].matches.indices { self[index].matches[file].finding.action = .keep }
        }
    }
}
