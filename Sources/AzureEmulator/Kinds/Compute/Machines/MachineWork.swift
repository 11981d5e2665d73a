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
        guard operation.verb == "create" else { return nil }
        let copies = DiskCopy.all(of: record, in: state)
        guard context.equipment.contents != nil, !copies.isEmpty else { return nil }
        return Work { (equipment) throws(ARMError) in
            for copy in copies { try await copy.make(equipment) }
            return .null
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
