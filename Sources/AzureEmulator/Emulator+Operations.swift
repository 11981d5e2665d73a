internal import SalvorJSON
internal import Synchronization

/// The engine of long-running operations. What is due is done before each request sees the state; what takes bytes or
/// machines is done beside it, and the operation ends when that has.
extension Emulator {
    /// How long the outcome of an operation can be asked for.
    private static let memory = Duration.seconds(3600)
    /// How often operations are looked at for one request; what is left then waits for the next.
    private static let mostRounds = 32

    /// Lets operations go on while nobody asks. Ends when it is cancelled.
    package func keepTime() async {
        let rings = bell.rings()
        var iterator = rings.makeAsyncIterator()
        while !Task.isCancelled {
            _ = try? await commit(clock.now) { (_) throws(ARMError) in }
            let next = core.withLock { $0.state.nextDue(except: Set($0.work.keys)) }
            if let next {
                try? await clock.wait(until: next)
            } else if await iterator.next() == nil {
                return
            }
        }
    }

    /// Returns when no operation has work under way. For tests, whose clock stands still.
    package func settle() async {
        while let task = core.withLock({ $0.work.values.first ?? $0.ending.values.first }) { await task.value }
    }

    /// Ends every operation that is due, and begins its work where it has some.
    /// - Returns: what has changed.
    func completeDue(_ core: inout Core, _ now: EmulatorTime) -> EmulatorState.Changes {
        var changes = core.state.takeChanges()
        for _ in 0..<Self.mostRounds {
            let due = core.state.due(at: now).filter { core.work[$0.id] == nil }
            if due.isEmpty { break }
            for operation in due {
                if faults.stalls(operation) {
                    stall(operation, now, in: &core.state)
                } else if let current = core.state.operation(operation.id), current.isRunning {
                    advance(current, outcome: nil, &core, now, &changes)
                }
            }
        }
        core.state.forgetOperations(endedBefore: now - Self.memory)
        changes.merge(core.state.takeChanges())
        return changes
    }

    private func advance(
        _ operation: Operation, outcome: Result<JSONValue, ARMError>?, _ core: inout Core, _ now: EmulatorTime,
        _ changes: inout EmulatorState.Changes
    ) {
        var operation = operation
        let ended = outcome == nil ? operation.due : now
        // A failure that was asked for is what the work has come to, for kinds that take back what they have begun.
        let asked = outcome == nil ? faults.failure(of: operation) : nil
        let context = EffectContext(
            surroundings: surroundings(now, base: "", caller: operation.caller), kinds: kinds, equipment: equipment,
            access: access, outcome: asked.map { .failure($0) } ?? outcome)
        do throws(ARMError) {
            let kind = try context.kind(operation.target.type)
            if let asked, !(kind is VirtualMachines) { throw asked }
            switch try kind.complete(operation, context, in: &core.state) {
            case .done(let output):
                operation.output = output
                operation.status = .succeeded
                operation.ended = ended
            case .failed(let error):
                fail(&operation, error, at: ended)
            case .again(let pause):
                operation.due = now + pause
                core.waiting.insert(operation.id)
            case .work(let work):
                changes.merge(core.state.takeChanges())
                core.work[operation.id] = Task { [operation] in await self.run(work, of: operation) }
                return
            }
        } catch {
            // What it had half done is taken back.
            core.state.undo()
            fail(&operation, error, at: ended)
            markFailed(operation.target, in: &core.state)
        }
        core.state.put(operation)
        if !operation.isRunning { wake(&core, now) }
        changes.merge(core.state.takeChanges())
    }

    /// What has ended may be what others wait for.
    private func wake(_ core: inout Core, _ now: EmulatorTime) {
        for var operation in core.waiting.compactMap({ core.state.operation($0) })
        where operation.isRunning && operation.due > now {
            operation.due = now
            core.state.put(operation)
        }
        core.waiting = []
    }

    /// An operation that a fault lets go on for ever: it is looked at again, for the fault may be taken back.
    private func stall(_ operation: Operation, _ now: EmulatorTime, in state: inout EmulatorState) {
        var operation = operation
        operation.due = now + .seconds(1)
        state.put(operation)
    }

    private func run(_ work: Work, of operation: Operation) async {
        let outcome: Result<JSONValue, ARMError>
        do throws(ARMError) {
            outcome = .success(try await work.run(equipment))
        } catch {
            outcome = .failure(error)
        }
        let now = clock.now
        let (written, changes) = core.withLock { core in
            core.ending[operation.id] = core.work.removeValue(forKey: operation.id)
            var changes = core.state.takeChanges()
            if let current = core.state.operation(operation.id), current.isRunning {
                advance(current, outcome: outcome, &core, now, &changes)
            }
            return (file.write(changes), changes)
        }
        try? await settle(written, changes)
        core.withLock { $0.ending[operation.id] = nil }
        bell.ring()
    }

    private func fail(_ operation: inout Operation, _ error: ARMError, at time: EmulatorTime) {
        operation.status = .failed
        operation.error = error.json
        operation.ended = time
    }

    /// A resource on which an operation failed says so, where it was waiting for it.
    private func markFailed(_ id: ResourceID, in state: inout EmulatorState) {
        guard var record = state[id], ["Creating", "Updating", "Deleting"].contains(record.provisioningState) else {
            return
        }
        record.provisioningState = "Failed"
        state.put(record)
    }
}
