internal import SalvorJSON

/// What a machine's operations do outside of the state, before they are completed.
enum MachineWork {
    /// - Returns: nil where nothing is to be done, or has been done.
    /// - Throws: what the work ended with.
    static func of(
        _ operation: Operation, on record: Record, _ context: EffectContext, in state: EmulatorState
    ) throws(ARMError) -> Work? {
        if let outcome = context.outcome {
            _ = try outcome.get()
            return nil
        }
        let copies = operation.verb == "create" ? DiskCopy.all(of: record, in: state) : []
        let step = context.equipment.hypervisor == nil ? nil : try step(of: operation, on: record, in: state)
        guard step != nil || (context.equipment.contents != nil && !copies.isEmpty) else { return nil }
        return Work { (equipment) throws(ARMError) in
            for copy in copies { try await copy.make(equipment) }
            if let step, let hypervisor = equipment.hypervisor { try await step.run(on: hypervisor) }
            return .null
        }
    }

    private static func step(
        of operation: Operation, on record: Record, in state: EmulatorState
    ) throws(ARMError) -> MachineStep? {
        switch operation.verb {
        case "create", "start": .start(try RealMachine(record, in: state))
        case "restart": .restart(try RealMachine(record, in: state))
        case "redeploy" where operation.input["before"]?.string == "running":
            .restart(try RealMachine(record, in: state))
        case "poweroff":
            .stop(RealMachine.id(of: record), gracefully: operation.input["skipShutdown"]?.bool != true)
        case "deallocate": .stop(RealMachine.id(of: record), gracefully: true)
        case "delete": .remove(RealMachine.id(of: record))
        case "update", "attachdetach":
            if let before = operation.input["storageProfile"] {
                .adjust(
                    try RealMachine(record, in: state), before: try RealMachine(record, profile: before, in: state))
            } else {
                nil
            }
        default: nil
        }
    }
}

/// What is to be done to a real machine.
enum MachineStep: Sendable {
    case start(RealMachine)
    case restart(RealMachine)
    case stop(String, gracefully: Bool)
    case adjust(RealMachine, before: RealMachine)
    case remove(String)

    func run(on hypervisor: any Hypervisor) async throws(ARMError) {
        switch self {
        case .start(let machine): try await hypervisor.start(machine)
        case .restart(let machine):
            try await hypervisor.powerOff(machine.id, gracefully: true)
            try await hypervisor.start(machine)
        case .stop(let id, let gracefully): try await hypervisor.powerOff(id, gracefully: gracefully)
        case .adjust(let machine, let before):
            do throws(ARMError) {
                try await hypervisor.adjust(machine)
            } catch {
                // A disk that is half attached would stay locked.
                try? await hypervisor.adjust(before)
                throw error
            }
        case .remove(let id): try await hypervisor.remove(id)
        }
    }
}

/// A disk that is made with its machine, and begins with the bytes of an image.
struct DiskCopy: Sendable {
    let source: String
    let target: String
    let bytes: Int64

    static func all(of record: Record, in state: EmulatorState) -> [DiskCopy] {
        StorageProfile(record.body).diskIDs.compactMap(ResourceID.init).compactMap { state[$0] }.compactMap { disk in
            guard let source = disk.hidden["begins"]?.string, let target = DiskContents.id(of: disk) else { return nil }
            let bytes = (disk.body[path: "properties.diskSizeGB"]?.integer ?? 0) << 30
            return DiskCopy(source: source, target: target, bytes: bytes)
        }
    }

    func make(_ equipment: Equipment) async throws(ARMError) {
        try await equipment.contents?.copy(from: source, to: target, bytes: bytes)
    }
}
