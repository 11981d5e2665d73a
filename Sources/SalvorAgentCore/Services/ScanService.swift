internal import GRPCCore
internal import SalvorMessages

struct ScanService: Salvor_V1_Scan.SimpleServiceProtocol {
    private let configuration: AgentConfiguration
    private let leases: DiskLeases
    private let mounter: VolumeMounter

    init(_ configuration: AgentConfiguration, leases: DiskLeases, mounter: VolumeMounter) {
        self.configuration = configuration
        self.leases = leases
        self.mounter = mounter
    }

    func run(request: Salvor_V1_ScanRequest, context: ServerContext) async throws -> Salvor_V1_ScanResponse {
        try request.recipe.validate()
        let disk = try await configuration.disks.awaitDisk(request.disk, limit: configuration.diskWait)
        return try await leases.withLease(on: disk.device, for: "scan") { () async throws(AgentError) in
            let stop = StopSignal()
            let scan = DiskScan(mounter: mounter, recipe: request.recipe, stop: stop)
            return try await untilSafe(stop) { () async throws(AgentError) in try await scan.run(on: disk) }
        }
    }
}
