internal import GRPCCore
internal import SalvorMessages
internal import SalvorSystem
internal import SwiftProtobuf

struct UnlockService: Salvor_V1_Unlock.SimpleServiceProtocol {
    private static let keyLimit = 32

    let configuration: AgentConfiguration
    let leases: DiskLeases
    let access: VolumeAccess

    func run(request: Salvor_V1_UnlockRequest, context: ServerContext) async throws -> Salvor_V1_UnlockResponse {
        guard request.keys.count <= Self.keyLimit else {
            throw AgentError(
                .invalidRequest, "\(request.keys.count) keys were sent; at most \(Self.keyLimit) are taken at once.",
                next: "Send those of the volume's own protectors.")
        }
        let keys = try request.keys.map { (key) throws(AgentError) in try GivenKey(key) }
        let disk = try await configuration.disks.awaitDisk(request.disk, limit: configuration.diskWait)
        let access = access
        return try await leases.withLease(on: disk.device, for: "unlocking") { () async throws(AgentError) in
            let stop = StopSignal()
            return try await untilSafe(stop) { () async throws(AgentError) in
                var response = Salvor_V1_UnlockResponse()
                for volume in disk.volumes {
                    guard let metadata = await access.metadata(of: volume) else { continue }
                    response.volumes.append(try await access.unlock(volume, metadata, keys, stop))
                }
                return response
            }
        }
    }

    func forget(
        request: Salvor_V1_ForgetKeysRequest, context: ServerContext
    ) async throws -> Salvor_V1_ForgetKeysResponse {
        let disk = try await configuration.disks.awaitDisk(request.disk, limit: configuration.diskWait)
        for volume in disk.volumes { access.keys.forget(volume.device) }
        return Salvor_V1_ForgetKeysResponse()
    }
}

extension VolumeAccess {
    fileprivate func unlock(
        _ volume: Salvor_V1_Volume, _ metadata: FVEMetadata, _ given: [GivenKey], _ stop: StopSignal
    ) async throws(AgentError) -> Salvor_V1_VolumeUnlock {
        let found = try await Blocking.run { () throws(AgentError) in try metadata.unlock(given, stop: stop) }
        var answer = Salvor_V1_VolumeUnlock()
        switch found {
        case .unlocked(let key, let protector):
            keys.hold(key, of: volume.device, metadata)
            answer.result = .unlocked
            answer.protectorGuid = protector.guid
            answer.message = "Unlocked by the \(protector.kind.name) \(protector.guid)."
        case .noKey:
            answer.result = .noKey
            answer.message = "None of the keys is for it."
        case .wrongKey(let tried):
            answer.result = .wrongKey
            answer.message =
                "What was given does not open the "
                + tried.map { "\($0.kind.name) \($0.guid)" }.joined(separator: ", ") + "."
        case .notPossible:
            answer.result = .notPossible
            answer.message = "It \(metadata.why)."
        }
        answer.volume = metadata.message(for: volume, isUnlocked: answer.result == .unlocked)
        return answer
    }
}
