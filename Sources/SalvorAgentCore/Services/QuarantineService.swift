internal import FoundationEssentials
internal import GRPCCore
internal import SalvorDigest
internal import SalvorMessages
internal import SalvorSystem
internal import SwiftProtobuf

struct QuarantineService: Salvor_V1_Quarantine.SimpleServiceProtocol {
    let store: QuarantineStore
    let applies: Applies

    func fetch(
        request: Salvor_V1_FetchRequest, response: RPCWriter<Salvor_V1_FetchChunk>, context: ServerContext
    ) async throws {
        let id = request.quarantineID
        let entries = try await Blocking.run { () throws(AgentError) in try store.entries(of: id) }
        for (index, entry) in entries.enumerated() {
            try await response.write(.with { $0.entry = entry })
            try await send(entry, at: index, of: id, to: response)
        }
    }

    func store(
        request: RPCAsyncSequence<Salvor_V1_StoreChunk, any Error>, context: ServerContext
    ) async throws -> Salvor_V1_StoreResponse {
        var intake: QuarantineIntake?
        do {
            for try await chunk in request {
                if case .quarantineID(let id) = chunk.part {
                    guard intake == nil else { throw QuarantineIntake.outOfOrder }
                    intake = try await QuarantineIntake(id, in: store)
                } else {
                    guard let intake else { throw QuarantineIntake.outOfOrder }
                    try await intake.take(chunk)
                }
            }
            guard let intake else { throw QuarantineIntake.outOfOrder }
            let files = try await intake.finish()
            return .with { $0.files = UInt32(files) }
        } catch {
            try? await intake?.giveUp()
            throw error
        }
    }

    func discard(request: Salvor_V1_DiscardRequest, context: ServerContext) async throws -> Salvor_V1_DiscardResponse {
        let id = request.quarantineID
        try await Blocking.run { () throws(AgentError) in try store.discard(id) }
        applies.forget(id)
        return Salvor_V1_DiscardResponse()
    }

    private func send(
        _ entry: Salvor_V1_QuarantineEntry, at index: Int, of id: String, to response: RPCWriter<Salvor_V1_FetchChunk>
    ) async throws {
        // Straight from the rescue VM's memory: a chunk is copied, not waited for.
        var content = try store.content(of: id, at: index)
        var hash = SHA256()
        var size: UInt64 = 0
        while let chunk = try content.next() {
            hash.update(chunk)
            size += UInt64(chunk.count)
            try await response.write(.with { $0.data = Data(chunk) })
        }
        guard size == entry.sizeBytes, hash.finalize().bytes.elementsEqual(entry.sha256) else {
            throw AgentError.quarantineDamaged(id, "the content of \(windowsPath(entry.path)) is not what was stored")
        }
    }
}
