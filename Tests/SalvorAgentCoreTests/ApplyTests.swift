import GRPCCore
import Glibc
import Logging
import SalvorDigest
import SalvorMessages
import SwiftProtobuf
import Testing

@testable import SalvorAgentCore

@Suite(.enabled(if: canMountNTFS, whyNotMountNTFS))
struct ApplyTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func broken(_ extra: @escaping @Sendable (VolumeEditor) throws -> Void = { _ in }) async throws -> NTFSImage
    {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.broken(editor)
            try extra(editor)
        }
        return image
    }

    /// Which of these files the volume has, by a mount of its own.
    private func present(_ paths: [String], on image: NTFSImage) async throws -> [String] {
        let mounted = try await scratch.mounter.mount(image.path, .look)
        let editor = VolumeEditor(root: mounted.mountPoint)
        let present = paths.filter(editor.exists)
        try await mounted.unmount()
        return present
    }

    @Test("A repair deletes the faulty file, keeps all else, verifies, and tells each step in order")
    func repaired() async throws {
        let image = try await broken()
        let agent = try TestAgent(scratch, .ntfs(image))
        let disk = try SHA256.digest(ofFile: agent.disks.list[0].device)
        let findings = try await agent.scan().findings
        let events = try await agent.apply(findings)
        #expect(events.outcome.kind == .repaired, "\(events.outcome.message)")
        #expect(events.outcome.diskChanged)
        #expect(events.steps == [.select, .mount, .match, .quarantine, .delete, .flush, .verify])
        #expect(events.map(\.sequence) == Array(1...UInt64(events.count)))
        #expect(events.deletedPaths == [Incident.components(Incident.faulty)])
        let verified = events.compactMap { if case .verified(let volume) = $0.event { volume } else { nil } }
        #expect(verified.map(\.absentFiles) == [1])
        #expect(verified.map(\.unchangedFiles) == [1])
        #expect(verified.map(\.tablesUnchanged) == [true])
        let kept = [Incident.corrected] + Incident.decoys
        #expect(try await present([Incident.faulty] + kept, on: image) == kept)
        #expect(try SHA256.digest(ofFile: agent.disks.list[0].device) == disk)
        #expect(try scratch.mounts() == [])
        #expect(try await agent.scan().outcome.kind == .nothingToRepair)
    }

    @Test("Reading on the read-write mount leaves the times of kept files as they were")
    func keptTimes() async throws {
        let image = try await broken()
        let agent = try TestAgent(scratch, .ntfs(image))
        let before = try await agent.scan().findings
        #expect(try await agent.apply(before).outcome.kind == .repaired)
        let after = try await agent.scan().findings
        #expect(after == before.filter { $0.verdict == .corrected })
    }

    @Test("What was deleted can be fetched, byte for byte and with its metadata, and then be forgotten")
    func fetchAndDiscard() async throws {
        let image = try await broken()
        let agent = try TestAgent(scratch, .ntfs(image))
        let findings = try await agent.scan().findings
        _ = try await agent.apply(findings)
        let chunks = try await agent.call { client in
            let quarantine = Salvor_V1_Quarantine.Client(wrapping: client)
            let chunks = try await quarantine.fetch(.with { $0.quarantineID = "run-1-vm-1" }) { response in
                var chunks: [Salvor_V1_FetchChunk] = []
                for try await chunk in response.messages { chunks.append(chunk) }
                return chunks
            }
            _ = try await quarantine.discard(.with { $0.quarantineID = "run-1-vm-1" })
            let error = await #expect(throws: RPCError.self) {
                try await quarantine.fetch(.with { $0.quarantineID = "run-1-vm-1" }) { response in
                    for try await _ in response.messages {}
                }
            }
            #expect(error?.code == .notFound)
            return chunks
        }
        let entry = try #require(chunks.first?.entry)
        #expect(entry.path == Incident.components(Incident.faulty))
        #expect(entry.volumeNumber == 1)
        #expect(entry.times.modified == NTFSImage.faultyTime)
        #expect(entry.attributes & 0x20 != 0, "FILE_ATTRIBUTE_ARCHIVE")
        #expect(!entry.securityDescriptor.isEmpty)
        #expect(chunks.dropFirst().flatMap(\.data) == Incident.content(32))
    }

    @Test(
        "A hibernated volume is left as it is, whether the probe says so or only the kernel", arguments: [true, false])
    func hibernated(probeKnows: Bool) async throws {
        let image = try await broken { try $0.hibernate() }
        var agent = try TestAgent(scratch, .ntfs(image))
        let findings = try await agent.scan().findings
        let before = try image.digest()
        // A probe that finds nothing wrong: ntfs-3g then mounts read-only, and exits as if all were well.
        if !probeKnows { agent.tools.ntfs3gProbe = "/bin/true" }
        let events = try await agent.apply(findings)
        #expect(events.outcome.kind == .unclean, "\(events.outcome.message)")
        #expect(!events.outcome.diskChanged)
        #expect(events.deletedPaths.isEmpty)
        #expect(try image.digest() == before)
        #expect(try scratch.mounts() == [])
    }

    @Test(
        "A file that changed, came or went since the scan stops the repair before anything is deleted", arguments: 0..<4
    )
    func drift(change: Int) async throws {
        let image = try await broken()
        let agent = try TestAgent(scratch, .ntfs(image))
        let findings = try await agent.scan().findings
        try await image.change { editor in
            switch change {
            case 0: try editor.file(Incident.faulty, Incident.content(99), modified: NTFSImage.faultyTime)
            case 1:
                try editor.file(
                    "\(Incident.folder)/C-00000291-9.sys", Incident.content(9), modified: NTFSImage.faultyTime)
            case 2: try #require(unlink("\(editor.root)/\(Incident.faulty)") == 0)
            default: try editor.file(Incident.corrected, Incident.content(98), modified: NTFSImage.correctedTime)
            }
        }
        let events = try await agent.apply(findings)
        #expect(events.outcome.kind == .failed)
        #expect(events.outcome.failedStep == "match")
        #expect(events.outcome.message.contains("When the disk was scanned"), "\(events.outcome.message)")
        #expect(events.deletedPaths.isEmpty)
        #expect(try scratch.mounts() == [])
        #expect(try await present([Incident.faulty], on: image).isEmpty == (change == 2))
    }

    @Test("A full quarantine stops the repair before anything is deleted")
    func quarantineFull() async throws {
        let image = try await broken()
        var agent = try TestAgent(scratch, .ntfs(image))
        agent.budgetBytes = 45_000
        let events = try await agent.apply(try await agent.scan().findings)
        #expect(events.outcome.kind == .failed)
        #expect(events.outcome.failedStep == "quarantine")
        #expect(events.outcome.message.contains("room for 45000 bytes"))
        #expect(try await present([Incident.faulty], on: image) == [Incident.faulty])
        #expect(try scratch.mounts() == [])
        agent.budgetBytes = 1 << 20
        #expect(try await agent.apply(try await agent.scan().findings).outcome.kind == .repaired)
    }

    @Test("A quarantine that is there is never written over")
    func quarantineExists() async throws {
        let image = try await broken()
        let agent = try TestAgent(scratch, .ntfs(image))
        _ = try agent.store.begin("run-1-vm-1", files: 0, bytes: 0)
        let events = try await agent.apply(try await agent.scan().findings)
        #expect(events.outcome.failedStep == "quarantine")
        #expect(events.outcome.message.contains("There is a quarantine run-1-vm-1 already"))
        #expect(try agent.store.entries(of: "run-1-vm-1").isEmpty)
        #expect(try await present([Incident.faulty], on: image) == [Incident.faulty])
    }

    @Test("Where nothing is to go, a repair writes nothing; where something should have been, it says so")
    func nothingExpected() async throws {
        let image = try await broken()
        let agent = try TestAgent(scratch, .ntfs(image))
        let before = try image.digest()
        let unexpected = try await agent.apply([])
        #expect(unexpected.outcome.kind == .failed)
        #expect(unexpected.outcome.failedStep == "match")
        var recipe = Salvor_V1_Recipe.crowdStrike()
        recipe.rules[0].actions = []
        let nothing = try await agent.apply(try await agent.scan(recipe).findings, recipe)
        #expect(nothing.outcome.kind == .nothingToRepair)
        #expect(!nothing.outcome.diskChanged)
        #expect(try image.digest() == before)
    }

    @Test("A volume that was cut short is not mounted, let alone repaired")
    func truncated() async throws {
        let image = try await broken()
        let agent = try TestAgent(scratch, .ntfs(image))
        let findings = try await agent.scan().findings
        try image.truncate(toMegabytes: 8)
        let before = try image.digest()
        let events = try await agent.apply(findings, .crowdStrike(resetLog: true))
        #expect(events.outcome.kind == .failed)
        #expect(events.outcome.failedStep == "mount")
        #expect(!events.outcome.diskChanged)
        #expect(try image.digest() == before)
    }

    @Test("Two Windows volumes with findings are both repaired, and one without is not touched")
    func severalVolumes() async throws {
        var images: [NTFSImage] = []
        for name in ["a.img", "b.img", "c.img"] { images.append(try await NTFSImage(in: scratch, name: name)) }
        try await images[0].change(Incident.broken)
        try await images[1].change(Incident.windows)
        try await images[2].change(Incident.broken)
        let agent = try TestAgent(scratch, .ntfs(images[0]), .ntfs(images[1]), .ntfs(images[2]))
        let untouched = try images[1].digest()
        let events = try await agent.apply(try await agent.scan().findings)
        #expect(events.outcome.kind == .repaired, "\(events.outcome.message)")
        #expect(events.deletedPaths.count == 2)
        #expect(try agent.store.entries(of: "run-1-vm-1").map(\.volumeNumber) == [1, 3])
        #expect(try images[1].digest() == untouched)
    }

    @Test("Given up while it copies, a repair deletes nothing, unmounts, and leaves no half quarantine")
    func givenUp() async throws {
        let image = try await broken { editor in
            for number in 0..<300 {
                try editor.file(
                    "\(Incident.folder)/C-00000291-\(number).sys", Incident.content(7, size: 500),
                    modified: NTFSImage.faultyTime)
            }
        }
        let agent = try TestAgent(scratch, .ntfs(image))
        let findings = try await agent.scan().findings
        let stop = StopSignal()
        let journal = ApplyJournal()
        let repair = DiskRepair(
            agent.applyRequest(findings), on: agent.disks.list[0], mounter: scratch.mounter,
            access: VolumeAccess(tools: AgentTools()), store: agent.store,
            stop: stop,
            journal: journal, logger: Logger(label: "test"))
        async let run: Void = repair.run()
        var events: [Salvor_V1_ApplyEvent] = []
        for try await event in journal.events() {
            if case .quarantined = event.event { stop.raise() }
            events.append(event)
        }
        await run
        #expect(events.outcome.kind == .failed)
        #expect(events.outcome.failedStep == "quarantine")
        #expect(events.outcome.message.contains("No file was changed"))
        #expect(events.deletedPaths.isEmpty)
        #expect(try scratch.mounts() == [])
        #expect(throws: AgentError.self) { try agent.store.entries(of: "run-1-vm-1") }
        #expect(try await agent.scan().findings == findings)
    }

    @Test("A call that is cancelled leaves nothing mounted and the disk free for the next")
    func cancelledCall() async throws {
        let image = try await broken { editor in
            for number in 0..<100 {
                try editor.file(
                    "\(Incident.folder)/C-00000291-\(number).sys", Incident.content(7, size: 500),
                    modified: NTFSImage.faultyTime)
            }
        }
        let agent = try TestAgent(scratch, .ntfs(image))
        let findings = try await agent.scan().findings
        let request = agent.applyRequest(findings)
        let next = try await agent.call { client in
            let seen = Flag()
            let call = Task {
                try await Salvor_V1_Apply.Client(wrapping: client).run(request) { response in
                    for try await event in response.messages {
                        if case .quarantined = event.event { seen.raise() }
                    }
                }
            }
            #expect(try await seen.wait())
            call.cancel()
            _ = await call.result
            // The agent ends at its safe point; until then the disk is another's.
            while true {
                do {
                    return try await Salvor_V1_Scan.Client(wrapping: client).run(
                        .with {
                            $0.disk.serial = "copy-1"
                            $0.recipe = request.recipe
                        })
                } catch let error as RPCError where error.code == .aborted {
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
        }
        #expect(try scratch.mounts() == [])
        // All or nothing: before the first deletion it gives up, after it it goes through.
        #expect(
            [1, findings.count].contains(next.findings.count), "\(next.findings.count) of \(findings.count) are left")
    }

    @Test("A disk that is repaired is nobody else's meanwhile, and the rescue VM is not powered off under it")
    func exclusive() async throws {
        let leases = DiskLeases()
        try await leases.withLease(on: "/dev/vdb", for: "repair") { () async throws(AgentError) in
            await #expect(throws: AgentError(.diskBusy, "", next: "")) {
                try await leases.withLease(on: "/dev/vdb", for: "scan") { () async throws(AgentError) in }
            }
            #expect(throws: AgentError(.diskBusy, "", next: "")) { try leases.drain() }
            try await leases.withLease(on: "/dev/vdc", for: "scan") { () async throws(AgentError) in }
        }
        try leases.drain()
        await #expect(throws: AgentError(.draining, "", next: "")) {
            try await leases.withLease(on: "/dev/vdb", for: "scan") { () async throws(AgentError) in }
        }
    }
}
