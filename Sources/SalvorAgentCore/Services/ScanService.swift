internal import GRPCCore
internal import SalvorMessages
internal import SalvorSystem

struct ScanService: Salvor_V1_Scan.SimpleServiceProtocol {
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

    func run(request: Salvor_V1_ScanRequest, context: ServerContext) async throws -> Salvor_V1_ScanResponse {
        try request.recipe.validate()
        let disk = try await configuration.disks.awaitDisk(request.disk, limit: configuration.diskWait)
        return try await leases.withLease(on: disk.device, for: "scan") { () async throws(AgentError) in
            let stop = StopSignal()
            let scan = DiskScan(
                mounter: mounter, access: access, store: configuration.quarantine, recipe: request.recipe, stop: stop)
            return try await slots.run { () async throws(AgentError) in
                try await untilSafe(stop) { () async throws(AgentError) in try await scan.run(on: disk) }
            }
        }
    }
}
