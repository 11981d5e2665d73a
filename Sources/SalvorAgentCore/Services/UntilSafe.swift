internal import GRPCCore

/// Does work on a disk out of reach of task cancellation, which would kill a mounted volume's daemon: when the call ends
/// early, `stop` is raised, and the work ends at its next safe point, unmounted. Returns only then.
func untilSafe<Success: Sendable>(
    _ stop: StopSignal, _ work: @escaping @Sendable () async throws(AgentError) -> Success
) async throws(AgentError) -> Success {
    let task = Task.detached { () async -> Result<Success, AgentError> in
        do throws(AgentError) {
            return .success(try await work())
        } catch {
            return .failure(error)
        }
    }
    return try await raising(stop) { await task.value }.get()
}

/// Raises `stop` when the call that this runs in is cancelled, by its peer, its deadline or its task.
func raising<Success: Sendable>(_ stop: StopSignal, _ body: () async -> Success) async -> Success {
    await withTaskCancellationHandler {
        await withRPCCancellationHandler {
            await body()
        } onCancelRPC: {
            stop.raise()
        }
    } onCancel: {
        stop.raise()
    }
}
