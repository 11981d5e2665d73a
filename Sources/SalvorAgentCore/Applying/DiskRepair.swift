internal import Logging
internal import SalvorDigest
internal import SalvorMessages
internal import SalvorSystem
internal import SwiftProtobuf

/// Carries out a recipe on one disk, once: mount, match again, quarantine all, delete, write, flush, unmount, verify.
///
/// It gives up when asked until the first file is deleted or written; from then on it goes through to the end, so that no disk is
/// left unverified. Whatever happens, nothing stays mounted, and there is exactly one outcome.
actor DiskRepair {
    let request: Salvor_V1_ApplyRequest
    private let disk: Salvor_V1_Disk
    private let mounter: VolumeMounter
    private let access: VolumeAccess
    let store: QuarantineStore
    private let stop: StopSignal
    let logger: Logger

    private let journal: ApplyJournal
    private var step = Salvor_V1_Step.select
    var repairs: [VolumeRepair] = []
    var quarantine: QuarantineWriter?
    private var entries: [Salvor_V1_QuarantineEntry] = []
    var deleted = 0
    var written = 0
    /// A file was, or may have been, deleted or written.
    var isFileChanged: Bool = false
    var isDiskChanged = false

    init(
        _ request: Salvor_V1_ApplyRequest, on disk: Salvor_V1_Disk, mounter: VolumeMounter, access: VolumeAccess,
        store: QuarantineStore, stop: StopSignal, journal: ApplyJournal, logger: Logger
    ) {
        self.request = request
        self.disk = disk
        self.mounter = mounter
        self.access = access
        self.store = store
        self.stop = stop
        self.journal = journal
        self.logger = logger
    }

    /// Runs to the end and records the outcome.
    func run() async {
        let badSectors = BadSectors()
        var outcome: Salvor_V1_Outcome
        do throws(AgentError) {
            outcome = try await perform()
        } catch {
            let leftovers = await unmountAll()
            await dropUnusedQuarantine()
            outcome = .ended(by: error, in: step.name, leaving: leaving(leftovers), changed: isDiskChanged)
        }
        await badSectors.note(in: &outcome, of: disk)
        logger.info(
            "apply ended",
            metadata: [
                "outcome": "\(outcome.kind)", "message": "\(outcome.message)",
                "peak_rss_kib": "\(peakResidentKibibytes() ?? 0)",
            ])
        journal.finish(outcome)
    }

    private func perform() async throws(AgentError) -> Salvor_V1_Outcome {
        begin(.select)
        let expected = ExpectedFindings(findings: request.expected)
        let toChange = try volumes(expected.volumesToChange)
        let toRead = try volumes(expected.volumesToRead)
        let volumes = toChange + toRead
        guard !volumes.isEmpty else { return try await lookInstead() }
        entries = try await store.entriesToPutBack(request.recipe)
        let regions = TableRegions(disk)
        let device = disk.device
        let tables = try await Blocking.run { () throws(AgentError) in try regions.digest(ofDisk: device) }
        done("\(device), \(volumes.count) of its \(disk.volumes.count) volumes")

        begin(.mount)
        for volume in toChange { try await mount(volume) }
        for volume in toRead { try await mountToRead(volume) }
        done("\(toChange.count) mounted read-write, \(toRead.count) read-only")

        begin(.match)
        for index in repairs.indices {
            var matches = try await repairs[index].match(matcher(repairs[index].volume), stop: stop)
            let maker = ContentMaker(mounter: mounter, store: store, mounted: repairs[index].mounted)
            try await maker.prepare(&matches)
            repairs[index].matches = matches
            for file in matches { journal.record(.matched(file.finding)) }
            try expected.compare(with: matches.map(\.finding), onVolume: repairs[index].volume.number)
        }
        done("\(repairs.reduce(0) { $0 + $1.matches.count }) files, as scanned")

        begin(.quarantine)
        try await fillQuarantine()
        done("\(fileCount) files in \(request.quarantineID)")

        try stop.check()
        if repairs.contains(where: { !$0.toGo.isEmpty }) {
            begin(.delete)
            for repair in repairs { try await deleteFiles(repair) }
            done("\(deleted) files")
        }
        if repairs.contains(where: { !$0.toWrite.isEmpty }) {
            begin(.write)
            for repair in repairs { try await writeFiles(repair) }
            done("\(written) files")
        }

        begin(.flush)
        for repair in repairs {
            try await repair.mounted.unmount()
            let path = repair.device.path
            try await Blocking.run { () throws(AgentError) in try BlockDevice.flush(path) }
            try await repair.device.close()
        }
        let devices = repairs.map(\.volume.device) + [device]
        try await Blocking.run { () throws(AgentError) in
            for device in devices { try BlockDevice.flush(device) }
        }
        done("unmounted, and on the disk")

        begin(.verify)
        let tablesAfter = try await Blocking.run { () throws(AgentError) in try regions.digest(ofDisk: device) }
        for repair in repairs where repair.isChanged {
            try await verify(repair, tablesUnchanged: tables == tablesAfter)
        }
        guard tables == tablesAfter else { throw .unverified("The partition tables of \(device) changed") }
        done("as it should be")
        return isDiskChanged ? repaired() : collected()
    }

    private func matcher(_ volume: Salvor_V1_Volume) -> VolumeMatcher {
        VolumeMatcher(recipe: request.recipe, entries: entries, volume: volume)
    }

    // MARK: Steps

    private func volumes(_ numbers: [UInt32]) throws(AgentError) -> [Salvor_V1_Volume] {
        var volumes: [Salvor_V1_Volume] = []
        for number in numbers {
            guard let volume = disk.volumes.first(where: { $0.number == number }) else {
                throw AgentError(
                    .invalidRequest, "\(disk.device) has no volume \(number). Nothing was changed.",
                    next: "Send the findings as Scan of this disk gave them.")
            }
            volumes.append(volume)
        }
        return volumes
    }

    /// Nothing is expected to go. Whether that is so is worth a look, and needs no writing.
    private func lookInstead() async throws(AgentError) -> Salvor_V1_Outcome {
        done("no file is expected to go")
        begin(.match)
        let scan = DiskScan(mounter: mounter, access: access, store: store, recipe: request.recipe, stop: stop)
        let response = try await scan.run(on: disk)
        for finding in response.findings { journal.record(.matched(finding)) }
        let expected = ExpectedFindings(findings: request.expected)
        for number in Set(response.findings.map(\.volumeNumber) + request.expected.map(\.volumeNumber)).sorted() {
            try expected.compare(
                with: response.findings.filter { $0.volumeNumber == number }, onVolume: number)
        }
        done("\(response.findings.count) files, none of them to go")
        return response.outcome
    }

    private func mountToRead(_ volume: Salvor_V1_Volume) async throws(AgentError) {
        try stop.check()
        let device = try await access.open(volume, readOnly: true)
        do throws(AgentError) {
            let mounted = try await mounter.mount(device.path, of: volume, .look)
            repairs.append(
                VolumeRepair(volume: volume, device: device, encryption: nil, mounted: mounted, isChanged: false))
        } catch {
            try await device.close()
            throw error
        }
    }

    private func mount(_ volume: Salvor_V1_Volume) async throws(AgentError) {
        try stop.check()
        let encryption = try await access.encryptionDigest(of: volume)
        let device = try await access.open(volume, readOnly: false)
        do throws(AgentError) {
            if volume.isFAT {
                isDiskChanged = true
                let mounted = try await mounter.mount(device.path, of: volume, .repair(resetLog: false))
                repairs.append(
                    VolumeRepair(
                        volume: volume, device: device, encryption: encryption, mounted: mounted, isChanged: true))
            } else {
                try await mount(volume, device, encryption)
            }
        } catch {
            try await device.close()
            throw error
        }
    }

    private func mount(
        _ volume: Salvor_V1_Volume, _ device: VolumeDevice, _ encryption: Digest?
    ) async throws(AgentError) {
        let path = device.path
        let probe = try await mounter.probe(path)
        if let refusal = request.recipe.volumePolicy.refusal(of: probe.state) {
            throw AgentError(
                refusal.code, "Volume \(volume.number) (\(volume.device)) \(refusal.why). \(probe.detail)",
                next: refusal.nextStep)
        }
        // From here on something may write: even a clean volume's log is emptied. It is not so only when the kernel says
        // that the mount is read-only.
        let wasChanged = isDiskChanged
        isDiskChanged = true
        if probe.log == .byTool {
            try await mounter.resetLog(path)
            changed(
                volume, "The log was open and was reset by ntfsfix; Windows checks the volume at its next start.", probe
            )
        }
        do throws(AgentError) {
            let mounted = try await mounter.mount(
                path, .repair(resetLog: probe.log != .notNeeded, discardHibernation: probe.isHibernated))
            repairs.append(
                VolumeRepair(
                    volume: volume, device: device, encryption: encryption, mounted: mounted, isChanged: true))
        } catch {
            if error.code == .mountedReadOnly, probe.log != .byTool { isDiskChanged = wasChanged }
            throw error
        }
        if probe.log == .byMounting {
            changed(volume, "The log was open and was reset by mounting read-write.", probe)
        }
        if probe.isHibernated {
            changed(
                volume,
                "hiberfil.sys was removed, and with it the session that Windows kept: what its programs had not saved is lost.",
                probe)
        }
    }

    private func changed(_ volume: Salvor_V1_Volume, _ what: String, _ probe: VolumeProbe) {
        journal.record(
            .volumeChanged(
                .with {
                    $0.volumeNumber = volume.number
                    $0.what = "\(what) Before: \(probe.detail)"
                }))
    }

    private func fillQuarantine() async throws(AgentError) {
        let store = store
        let id = request.quarantineID
        let bytes = repairs.reduce(UInt64(0)) { $0 + $1.taken.reduce(0) { $0 + $1.finding.sizeBytes } }
        let count = fileCount
        let writer = try await Blocking.run { () throws(AgentError) in
            try store.begin(id, files: count, bytes: bytes)
        }
        quarantine = writer
        var index = 0
        for repair in repairs {
            for file in repair.taken {
                try stop.check()
                let number = index
                let entry = try await repair.mounted.files { (tree) throws(AgentError) in
                    try writer.store(file, at: number, from: tree)
                }
                index += 1
                journal.record(
                    .quarantined(
                        .with {
                            $0.path = entry.path
                            $0.sizeBytes = entry.sizeBytes
                            $0.sha256 = entry.sha256
                        }))
            }
        }
    }

    private func deleteFiles(_ repair: VolumeRepair) async throws(AgentError) {
        for file in repair.toGo {
            isFileChanged = true
            try await repair.delete(file)
            deleted += 1
            journal.record(.deleted(.with { $0.path = file.finding.path }))
        }
    }

    private func writeFiles(_ repair: VolumeRepair) async throws(AgentError) {
        for file in repair.toWrite {
            isFileChanged = true
            try await repair.write(file)
            written += 1
            journal.record(
                .written(
                    .with {
                        $0.path = file.finding.path
                        $0.sizeBytes = file.finding.resultBytes
                        $0.sha256 = file.finding.resultSha256
                    }))
        }
    }

    private func verify(_ repair: VolumeRepair, tablesUnchanged: Bool) async throws(AgentError) {
        let matcher = matcher(repair.volume)
        let before = try await access.encryptionDigest(of: repair.volume)
        guard before == repair.encryption else {
            throw .unverified("The encryption's metadata of volume \(repair.volume.number) changed")
        }
        let device = try await access.open(repair.volume, readOnly: true)
        var failure: AgentError?
        do throws(AgentError) {
            let mounted = try await mounter.mount(device.path, of: repair.volume, .look)
            do throws(AgentError) {
                try await mounted.files { (tree) throws(AgentError) in try repair.verify(in: tree, matcher) }
            } catch {
                failure = error
            }
            try await mounted.unmount()
        } catch {
            failure = failure ?? error
        }
        try await device.close()
        if let failure { throw failure }
        journal.record(
            .verified(
                .with {
                    $0.volumeNumber = repair.volume.number
                    $0.absentFiles = UInt32(repair.toGo.count)
                    $0.unchangedFiles = UInt32(repair.kept.count)
                    $0.tablesUnchanged = tablesUnchanged
                    $0.writtenFiles = UInt32(repair.toWrite.count)
                }))
    }

    private func begin(_ next: Salvor_V1_Step) {
        step = next
        logger.info("step", metadata: ["step": "\(next.name)", "device": "\(disk.device)"])
        journal.record(.stepStarted(.with { $0.step = next }))
    }

    private func done(_ detail: String) {
        journal.record(
            .stepDone(
                .with {
                    $0.step = step
                    $0.detail = detail
                }))
    }
}
