package import SalvorCoordinatorCore
package import SalvorQEMU
import Synchronization
import SystemPackage

/// Machines that run in QEMU on this computer, described by YAML files in a folder.
package final class LocalProvider: Provider {
    package let kind = "local"
    let configuration: LocalConfiguration
    let inventory: Inventory
    let state: LocalState
    let image: DiskImage
    /// Locks on original disks, each from its copy's making until the copy is deleted or this process ends.
    let locks = Mutex<[CopyName: DiskLock]>([:])
    /// Rescue VMs whose control connection we have: QEMU serves one client at a time.
    let hosts = Mutex<[HostName: QEMUMachine]>([:])
    private let accelerationTask = Mutex<Task<Result<Acceleration, QEMUError>, Never>?>(nil)

    package init(_ configuration: LocalConfiguration) {
        self.configuration = configuration
        inventory = Inventory(folder: configuration.inventory)
        state = LocalState(folder: configuration.stateFolder)
        image = DiskImage(tools: configuration.tools)
    }

    package func machines() async throws(ProviderError) -> [Machine] {
        try await inventory.definitions().map(Self.machine)
    }

    package func machine(named name: String) async throws(ProviderError) -> Machine {
        Self.machine(try await inventory.definition(named: name))
    }

    private static func machine(_ definition: MachineDefinition) -> Machine {
        var details = [
            "firmware": definition.firmware.rawValue, "memory": "\(definition.memoryMiB) MiB",
            "cpus": "\(definition.cpus)",
        ]
        if let original = definition.originalDisk {
            details["original disk"] = original.disk.path.string
            details["replaced by run"] = original.replacedByRun
        }
        return Machine(
            name: definition.name, definition: definition.file.string,
            osDisk: OSDisk(identifier: definition.disk.path.string, format: definition.disk.format.rawValue),
            details: details, computerName: definition.computerName)
    }

    /// Starts finding out whether KVM works, once; whoever needs the answer awaits it.
    @discardableResult
    func startProbe() -> Task<Result<Acceleration, QEMUError>, Never> {
        accelerationTask.withLock { task in
            if let task { return task }
            let probe = AccelerationProbe(tools: configuration.tools, cache: configuration.accelerationCache)
            let given = configuration.acceleration
            let new = Task {
                if let given { return Result<Acceleration, QEMUError>.success(given) }
                do throws(QEMUError) {
                    return Result<Acceleration, QEMUError>.success(try await probe.acceleration())
                } catch {
                    return .failure(error)
                }
            }
            task = new
            return new
        }
    }

    /// How guests run here; asked once and then known.
    package func acceleration() async throws(ProviderError) -> Acceleration {
        let result = await startProbe().value
        return try await providing { () throws(QEMUError) in try result.get() }
    }

    /// A disk that a caller names, checked against what this provider can handle.
    static func disk(_ disk: OSDisk) throws(ProviderError) -> MachineDefinition.Disk {
        guard let format = MachineDisk.Format(rawValue: disk.format), disk.identifier.hasPrefix("/") else {
            throw ProviderError(
                .unsupported, "The local provider knows no disk \(disk.identifier) of format “\(disk.format)”.",
                nextStep: "Give it the absolute path of a raw or qcow2 file.")
        }
        return MachineDefinition.Disk(path: FilePath(disk.identifier), format: format)
    }
}
