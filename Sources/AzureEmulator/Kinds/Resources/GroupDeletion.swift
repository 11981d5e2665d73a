internal import SalvorJSON

/// What the deletion of a group does step by step: machines go first, then their interfaces, then the rest as it can.
struct GroupDeletion {
    private var group: Record
    /// Ids of the deletions that were begun, by key.
    private var begun: [String: String]
    private let operation: Operation
    private let context: EffectContext
    private static let pause = Duration.milliseconds(50)

    init(_ group: Record, _ operation: Operation, _ context: EffectContext) {
        self.group = group
        begun = (group.hidden["deletions"]?.object ?? [:]).compactMapValues(\.string)
        self.operation = operation
        self.context = context
    }

    mutating func take(in state: inout EmulatorState) -> Completion {
        cancelDeployments(in: &state)
        let left = state.inGroup(group.id).filter { context.kinds[$0.id.type.lowercased()] != nil && isDeleted($0.id) }
        let order = [["virtualmachines"], ["networkinterfaces"]]
        let first = order.lazy.map { types in
            left.filter { types.contains($0.id.types.last?.lowercased() ?? "") }
        }.first { !$0.isEmpty }
        let wave = first ?? left
        guard !wave.isEmpty else {
            for record in state.inGroup(group.id) { state.remove(record.id) }
            state.remove(group.id)
            return .done(nil)
        }
        var refused: [(ResourceID, ARMError)] = []
        var goesOn = false
        for record in wave {
            // What is being done to it ends first: a machine that is just being made is made and then deleted.
            if state.running(on: record.id) != nil {
                goesOn = true
                continue
            }
            if isOnlyRead(record, in: state) {
                // Whoever copies from it keeps its bytes.
                state.removeTree(record.id)
                goesOn = true
                continue
            }
            do throws(ARMError) {
                try delete(record, in: &state)
                goesOn = true
            } catch {
                // Others may have to go before it, or to end what they do.
                if error.status == 429 { goesOn = true } else { refused.append((record.id, error)) }
            }
        }
        guard !goesOn else {
            group.hidden[path: "deletions"] = .object(begun.mapValues { .string($0) })
            state.put(group)
            return .again(after: Self.pause)
        }
        return .failed(rollBack(refused, in: &state))
    }

    private func isOnlyRead(_ record: Record, in state: EmulatorState) -> Bool {
        guard record.body["managedBy"] == nil, let content = DiskContents.id(of: record) else { return false }
        return state.isRead(content, except: [])
    }

    private mutating func delete(_ record: Record, in state: inout EmulatorState) throws(ARMError) {
        // A deletion that has failed once is not begun again.
        if let error = begun[record.id.key].flatMap({ state.operation($0)?.error }) { throw ARMError(409, json: error) }
        let answer = try context.kind(record.id.type).delete(context.call(record.id, body: [:]), in: &state)
        guard case .accepted(_, _, var deletion, _) = answer else { return }
        begun[record.id.key] = deletion.id
        // The time that it takes is that of the group.
        deletion.due = context.now
        state.put(deletion)
    }

    /// What has a deletion of its own: children go with their parents, locks and the like with the group.
    private func isDeleted(_ id: ResourceID) -> Bool {
        id.types.count == 1 && !id.isExtension
            && !["microsoft.resources", "microsoft.authorization"].contains(id.namespace?.lowercased() ?? "")
    }

    private func cancelDeployments(in state: inout EmulatorState) {
        for record in state.list("Microsoft.Resources/deployments", in: group.id) {
            guard var running = state.running(on: record.id) else { continue }
            running.status = .canceled
            running.error = ResourceGroups.beingDeleted(group.id).json
            running.ended = context.now
            state.put(running)
        }
    }

    /// The group stays as it is where something in it cannot be deleted.
    private mutating func rollBack(_ refused: [(ResourceID, ARMError)], in state: inout EmulatorState) -> ARMError {
        group.provisioningState = "Succeeded"
        group.hidden[path: "deletions"] = nil
        state.put(group)
        let names = refused.map { id, _ in "\(id.type)/\(id.names.joined(separator: "/"))" }
        return ARMError(
            409, "ResourceGroupDeletionBlocked",
            "Deletion of resource group '\(group.id.name)' failed as resources with identifiers '\(names.joined(separator: ","))' "
                + "could not be deleted. The provisioning state of the resource group will be rolled back. The tracking Id is "
                + "'\(context.makeID())'. Please check audit logs for more details.",
            details: refused.map { id, error in
                let inner: JSONValue = ["error": error.json]
                return ARMError(409, error.code, inner.text, target: id.description)
            })
    }
}
