package import SalvorCoordinatorCore
import Glibc
import SalvorQEMU
internal import SalvorSystem
import Synchronization
import SystemPackage

extension LocalProvider {
    package func copyDisk(of machine: Machine, to name: CopyName) async throws(ProviderError) -> RepairCopy {
        let known = await Blocking.run { [state] in state.read(name) }
        let record: CopyRecord
        if let known { record = known } else { record = try newRecord(for: machine, name: name) }
        try await lock(record)
        let isMade = await Blocking.run { PosixFile.exists(record.file) }
        if !isMade || known == nil {
            guard !isMade else {
                throw ProviderError(
                    .conflict, "\(record.file) is in the way of the repair copy and was not made by this run.",
                    nextStep: "Move it away, then resume the run.")
            }
            try await Blocking.run { [state] () throws(ProviderError) in
                do throws(QEMUError) { try state.write(record) } catch { throw ProviderError(error) }
            }
            try await make(record, originalFormat: Self.disk(machine.osDisk).format)
        }
        return RepairCopy(
            name: name, disk: OSDisk(identifier: record.file.string, format: record.format.rawValue),
            dependsOnOriginal: record.dependsOnOriginal)
    }

    private func newRecord(for machine: Machine, name: CopyName) throws(ProviderError) -> CopyRecord {
        let original = try Self.disk(machine.osDisk)
        let isOverlay = configuration.makesOverlay(of: original.format)
        let format = isOverlay ? MachineDisk.Format.qcow2 : original.format
        return CopyRecord(
            name: name, file: LocalNames.copyFile(name, original: original.path, format: format), format: format,
            original: original.path, dependsOnOriginal: isOverlay)
    }

    /// Keeps writers away from the original; again after a crash, because the lock went with the process.
    private func lock(_ record: CopyRecord) async throws(ProviderError) {
        guard locks.withLock({ $0[record.name] == nil }) else { return }
        let lock = try await Blocking.run { () throws(ProviderError) in try DiskLock(record.original) }
        locks.withLock { $0[record.name] = lock }
    }

    /// Under another name first, so that a copy that has its name is whole.
    private func make(_ record: CopyRecord, originalFormat: MachineDisk.Format) async throws(ProviderError) {
        let unfinished = record.file.removingLastComponent().appending(
            ".\(record.file.lastComponent?.string ?? "").new")
        let image = image
        try await providing { () throws(QEMUError) in
            try await Blocking.run { () throws(QEMUError) in try PosixFile.remove(unfinished) }
            do throws(QEMUError) {
                switch originalFormat {
                case _ where record.dependsOnOriginal:
                    try await image.createOverlay(unfinished, backing: record.original, backingFormat: originalFormat)
                case .raw, .qcow2:
                    try await image.copy(record.original, format: originalFormat, to: unfinished)
                case .vhd, .vhdx, .vmdk:
                    try await image.copyFile(record.original, to: unfinished)
                }
                if record.format == .vmdk {
                    let name = record.file.lastComponent?.string ?? ""
                    try await Blocking.run { () throws(QEMUError) in
                        try VMDKDescriptor.nameExtent(of: unfinished, name)
                    }
                }
                try await Blocking.run { () throws(QEMUError) in try Self.publish(unfinished, as: record.file) }
            } catch {
                _ = try? await Blocking.run { () throws(QEMUError) in try PosixFile.remove(unfinished) }
                throw error
            }
        }
    }

    private static func publish(_ unfinished: FilePath, as file: FilePath) throws(QEMUError) {
        let result = unfinished.withPlatformString { old in file.withPlatformString { new in rename(old, new) } }
        guard result == 0 else {
            throw QEMUError(.fileFailed, "\(file) cannot be made.", cause: Errno(rawValue: errno))
        }
        do {
            try PosixFile.sync(folder: file.removingLastComponent())
        } catch {
            throw QEMUError(.fileFailed, "\(file) cannot be made durable.", cause: error)
        }
    }

    package func deleteCopy(named name: CopyName) async throws(ProviderError) {
        guard let record = await Blocking.run({ [state] in state.read(name) }) else { return }
        try await refuseIfUsed(record)
        try await Blocking.run { [state] () throws(ProviderError) in
            if let writer = DiskUsers.writer(of: record.file) { throw DiskProblem.inUse(record.file, by: writer) }
            do throws(QEMUError) {
                try PosixFile.remove(
                    record.file.removingLastComponent().appending(".\(record.file.lastComponent?.string ?? "").new"))
                try PosixFile.remove(record.file)
                try state.forget(name)
            } catch {
                throw ProviderError(error)
            }
        }
        locks.withLock { _ = $0.removeValue(forKey: name) }
    }

    /// A machine's own disk is never deleted. Where the definition cannot be read, nobody knows, so nothing is deleted.
    private func refuseIfUsed(_ record: CopyRecord) async throws(ProviderError) {
        let definition: MachineDefinition
        do throws(ProviderError) {
            definition = try await inventory.definition(named: record.name.machine)
        } catch {
            if error.code == .notFound { return }
            throw error
        }
        guard !definition.uses(record.file) else {
            throw ProviderError(
                .conflict, "\(record.file) is the disk of \(definition.name) and was not deleted.",
                nextStep: "Roll the run back first, if the machine is to have its original disk again.")
        }
    }
}

extension MachineDefinition {
    /// True for the machine's disk and for those that its swaps replaced: repaired disks may be built on them.
    func uses(_ file: FilePath) -> Bool {
        if disk.path == file { return true }
        var original = originalDisk
        while let current = original {
            if current.disk.path == file { return true }
            if case .some(let previous) = current.previous { original = previous } else { original = nil }
        }
        return false
    }
}
