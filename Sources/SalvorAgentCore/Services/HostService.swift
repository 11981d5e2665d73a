internal import GRPCCore
internal import SalvorMessages

struct HostService: Salvor_V1_Host.SimpleServiceProtocol {
    let logs: LogRing
    let power: PowerSwitch

    func logs(request: Salvor_V1_LogsRequest, response: RPCWriter<Salvor_V1_LogRecord>, context: ServerContext)
        async throws
    {
        let (end, signal) = AsyncStream.makeStream(of: Never.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await record in logs.records() { try await response.write(record) } }
            // An RPC that is cancelled does not cancel its task.
            group.addTask {
                await withRPCCancellationHandler {
                    for await _ in end {}
                } onCancelRPC: {
                    signal.finish()
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    func powerOff(request: Salvor_V1_PowerOffRequest, context: ServerContext) async throws -> Salvor_V1_PowerOffResponse
    {
        try power.turnOff()
        return Salvor_V1_PowerOffResponse()
    }
}
