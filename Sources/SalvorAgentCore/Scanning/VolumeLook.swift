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
    var filesToGo: [MatchedFile] { matches.filter(\.isToGo) }
    var state: Salvor_V1_VolumeState { installation?.volumeState ?? .unspecified }
    var name: String { "volume \(volume.number) (\(volume.device))" }
}

/// Looks at a volume: mounts it read-only without replaying its log, finds Windows, matches the recipe, unmounts.
/// Changes no byte.
struct VolumeInspector: Sendable {
    let mounter: VolumeMounter
    let access: VolumeAccess
    let recipe: Salvor_V1_Recipe
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
        let probe: VolumeProbe
        let mounted: MountedVolume
        do throws(AgentError) {
            probe = try await mounter.probe(device.path)
            mounted = try await mounter.mount(device.path, .look)
        } catch {
            look.error = error
            return
        }
        do throws(AgentError) {
            let (root, matches, failure) = try await mounted.files { tree in read(tree, volume) }
            look.matches = matches
            look.error = failure.map(mounted.explained)
            if let root {
                look.installation = .with {
                    $0.volumeNumber = volume.number
                    $0.partitionGuid = volume.partitionGuid
                    $0.systemRoot = root.map(\.text)
                    $0.volumeState = probe.state
                    $0.stateDetail = probe.detail
                }
                look.installation?.facts = await mounter.facts(of: mounted)
                look.apply(recipe.requires)
            }
        } catch {
            look.error = error
        }
        try await mounted.unmount()
        if let error = look.error, error.code == .cancelled { throw error }
    }

    private func read(
        _ tree: VolumeTree, _ volume: Salvor_V1_Volume
    ) -> (root: [FileName]?, matches: [MatchedFile], failure: AgentError?) {
        var resolver = PathResolver(tree)
        var root: [FileName]?
        do throws(AgentError) {
            root = try WindowsDetection.systemRoot(&resolver)
            guard root != nil else { return (nil, [], nil) }
            let matcher = RuleMatcher(recipe: recipe, volumeNumber: volume.number, stop: stop)
            return (root, try matcher.match(&resolver), nil)
        } catch {
            return (root, [], error)
        }
    }
}
