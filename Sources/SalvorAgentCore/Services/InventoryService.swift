internal import GRPCCore
internal import SalvorMessages
internal import SwiftProtobuf

struct InventoryService: Salvor_V1_Inventory.SimpleServiceProtocol {
    let disks: any DiskSource

    func list(request: Salvor_V1_ListDisksRequest, context: ServerContext) async throws -> Salvor_V1_ListDisksResponse {
        let disks = try await disks.disks()
        return .with { $0.disks = disks }
    }
}
