internal import GRPCCore
internal import SalvorMessages
internal import SalvorSystem

struct ApplyService: Salvor_V1_Apply.SimpleServiceProtocol {
    private let configuration: AgentConfiguration
    private let leases: DiskLeases
    private let mounter: VolumeMounter
    private let access: VolumeAccess
    private let slots: Limiter

    init(
        _ configuration: AgentConfiguration, leases: DiskLeases, mounter: VolumeMounter, access: VolumeAccess,
        slots: Limiter
    ) {
        self.slots = slots
        self.configuration = configuration
        self.leases = leases
        self.mounter = mounter
        self.access = access
    }

    func run(
        request: Salvor_V1_ApplyRequest, response: RPCWriter<Salvor_V1_ApplyEvent>, context: ServerContext
    ) async throws {
        try request.recipe.validate()
        try configuration.quarantine.checkID(request.quarantineID)
        let disk = try await configuration.disks.awaitDisk(request.disk, limit: configuration.diskWait)
        let failure = try await leases.withLease(on: disk.device, for: "repair") { () async throws(AgentError) in
            await slots.run { await repair(disk, request, response) }
        }
        if let failure { throw failure }
    }

    /// Repairs to the end, whether or not anyone listens.
    /// - Returns: why the events could not be sent.
    private func repair(
        _ disk: Salvor_V1_Disk, _ request: Salvor_V1_ApplyRequest, _ response: RPCWriter<Salvor_V1_ApplyEvent>
    ) async -> (any Error)? {
        let stop = StopSignal()
        let journal = ApplyJournal()
        let repair = DiskRepair(
            request, on: disk, mounter: mounter, access: access, store: configuration.quarantine, stop: stop,
            journal: journal,
            logger: configuration.logger)
        let work = Task.detached { await repair.run() }
        return await raising(stop) {
            var failure: (any Error)?
            do {
                for await event in journal.events { try await response.write(event) }
            } catch {
                stop.raise()
                failure = error
            }
            await work.value
            return failure
        }
    }
}
