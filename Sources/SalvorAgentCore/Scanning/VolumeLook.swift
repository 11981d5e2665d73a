internal import SalvorMessages
internal import SalvorSystem
internal import SwiftProtobuf

/// What one look at a volume showed.
struct VolumeLook: Sendable {
    let volume: Salvor_V1_Volume
    /// nil where there is no Windows, or where the look ended before that was known.
    var installation: Salvor_V1_WindowsInstallation?
    var matches: [MatchedFile] = []
    /// What whoever reads the outcome must know beside it.
    var aside = ""
    /// What ended the look.
    var error: AgentError?

    var findings: [Salvor_V1_Finding] { matches.map(\.finding) }
    /// What a repair would delete or write over.
    var filesToChange: [MatchedFile] { matches.filter { $0.isToGo || $0.isToWrite } }
    /// What would be copied and left.
    var filesToCollect: [MatchedFile] { matches.filter { $0.finding.action == .collect } }
    /// How the boot manager's hive on this volume starts Windows.
    var safeBoot = Salvor_V1_SafeBootState.unspecified
    /// How the volume was left, and what that rests on. FAT has no states that anything depends on.
    var state = Salvor_V1_VolumeState.unspecified
    var stateDetail = ""
    var name: String { "volume \(volume.number) (\(volume.device))" }
}

/// Looks at a volume: mounts it read-only without replaying its log, finds Windows, matches the recipe, unmounts.
/// Changes no byte.
struct VolumeInspector: Sendable {
    let mounter: VolumeMounter
    let access: VolumeAccess
    let store: QuarantineStore
    let recipe: Salvor_V1_Recipe
    let entries: [Salvor_V1_QuarantineEntry]
    let stop: StopSignal

    /// - Throws: ``AgentError/Code/cancelled``, ``AgentError/Code/stillMounted``; all else is part of the look.
    func look(at volume: Salvor_V1_Volume) async throws(AgentError) -> VolumeLook {
        var look = VolumeLook(volume: volume)
        let device: VolumeDevice
        do throws(AgentError) {
            try stop.check()
            device = try await access.open(volume, readOnly: true)
        } catch {
            if error.code == .cancelled { throw error }
            look.error = error
            return look
        }
        let result: Result<Void, AgentError>
        do throws(AgentError) {
            result = .success(try await self.look(into: device, &look))
        } catch {
            result = .failure(error)
        }
        try await device.close()
        try result.get()
        return look
    }

    private func look(into device: VolumeDevice, _ look: inout VolumeLook) async throws(AgentError) {
        let volume = look.volume
        let mounted: MountedVolume
        do throws(AgentError) {
            if volume.isFAT {
                look.state = .clean
            } else {
                let probe = try await mounter.probe(device.path)
                look.state = probe.state
                look.stateDetail = probe.detail
            }
            mounted = try await mounter.mount(device.path, of: volume, .look)
        } catch {
            look.error = error
            return
        }
        do throws(AgentError) {
            let (root, hasBootHive, matches, failure) = try await mounted.files { tree in read(tree, volume) }
            look.matches = matches
            look.error = failure.map(mounted.explained)
            if let root {
                let (state, detail) = (look.state, look.stateDetail)
                look.installation = .with {
                    $0.volumeNumber = volume.number
                    $0.partitionGuid = volume.partitionGuid
                    $0.systemRoot = root.map(\.text)
                    $0.volumeState = state
                    $0.stateDetail = detail
                }
                look.installation?.facts = await mounter.facts(of: mounted)
                look.safeBoot = look.installation?.facts.safeBoot ?? .unspecified
                look.apply(recipe.requires)
            } else if hasBootHive {
                look.safeBoot = await mounter.facts(of: mounted, isWindows: false).safeBoot
            }
            try await ContentMaker(mounter: mounter, store: store, mounted: mounted).prepare(&look.matches)
            // Apply makes it again, and compares: sixteen disks at once would hold sixteen hives in memory till then.
            for index in look.matches.indices { look.matches[index].prepared = nil }
        } catch {
            look.error = error
        }
        try await mounted.unmount()
        if let error = look.error, error.code == .cancelled { throw error }
    }

    private func read(
        _ tree: VolumeTree, _ volume: Salvor_V1_Volume
    ) -> (root: [FileName]?, hasBootHive: Bool, matches: [MatchedFile], failure: AgentError?) {
        let hasBootHive = BootFacts(tree: tree).hasHive
        let matcher = VolumeMatcher(recipe: recipe, entries: entries, volume: volume)
        var resolver = PathResolver(tree)
        var root: [FileName]?
        do throws(AgentError) {
            root = try matcher.systemRoot(&resolver)
            return (root, hasBootHive, try matcher.match(&resolver, hasWindows: root != nil, stop: stop), nil)
        } catch {
            return (root, hasBootHive, [], error)
        }
    }
}
