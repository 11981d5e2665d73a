internal import GRPCCore
internal import SalvorMessages
internal import SalvorSystem

struct ApplyService: Salvor_V1_Apply.SimpleServiceProtocol {
    private let configuration: AgentConfiguration
    private let leases: DiskLeases
    private let mounter: VolumeMounter
    private let access: VolumeAccess
    private let slots: Limiter
    let applies: Applies

    init(
        _ configuration: AgentConfiguration, leases: DiskLeases, mounter: VolumeMounter, access: VolumeAccess,
        slots: Limiter, applies: Applies
    ) {
        self.slots = slots
        self.configuration = configuration
        self.leases = leases
        self.mounter = mounter
        self.access = access
        self.applies = applies
    }

    /// The Apply is a task of its own: it is ended by who cancels the call, and by nobody's loss of it (SPEC.md A-1).
    func run(
        request: Salvor_V1_ApplyRequest, response: RPCWriter<Salvor_V1_ApplyEvent>, context: ServerContext
    ) async throws {
        try request.recipe.validate()
        try configuration.quarantine.checkID(request.quarantineID)
        let apply = try applies.join(request) { member in
            Task.detached { await begin(request, member) }
        }
        // A task of its own, which the cancellation of this one does not end: events are sent until the link is lost.
        let sending = Task.detached {
            for try await event in apply.journal.events(after: request.afterSequence) {
                try await response.write(event)
            }
        }
        let giveUp: @Sendable () -> Void = {
            if configuration.isLinkLost(context) {
                sending.cancel()
            } else {
                apply.stop.raise()
            }
        }
        let result = await withTaskCancellationHandler {
            await withRPCCancellationHandler {
                await sending.result
            } onCancelRPC: {
                giveUp()
            }
        } onCancel: {
            giveUp()
        }
        if case .failure = result, !configuration.isLinkLost(context) {
            // Nobody listens any more: the call lasts until nothing is mounted.
            apply.stop.raise()
            await apply.journal.awaitEnd()
        }
        try result.get()
    }

    private func begin(_ request: Salvor_V1_ApplyRequest, _ apply: Applies.Member) async {
        do throws(AgentError) {
            let disk = try await configuration.disks.awaitDisk(request.disk, limit: configuration.diskWait)
            try await leases.withLease(on: disk.device, for: "repair") { () async throws(AgentError) in
                await slots.run {
                    await DiskRepair(
                        request, on: disk, mounter: mounter, access: access, store: configuration.quarantine,
                        stop: apply.stop, journal: apply.journal, logger: configuration.logger
                    ).run()
                }
            }
            applies.ended(request.quarantineID)
        } catch {
            apply.journal.fail(error)
            applies.forget(request.quarantineID)
        }
    }
}
