internal import Foundation
package import Logging
internal import SalvorJSON
internal import SystemPackage

/// Real machines and what is on record of them.
extension Emulator {
    /// Brings together what runs and what should, before the first request: machines of an emulator that was killed are
    /// taken over, those that nothing is known of or that should not run are ended, and one that has ended is stopped.
    package func findMachines(logger: Logger) async {
        guard let hypervisor = equipment.hypervisor else { return }
        let (byID, busy) = look { state -> ([String: Record], Set<String>) in
            var byID: [String: Record] = [:]
            for record in machines(in: state) { byID[RealMachine.id(of: record)] = record }
            return (byID, Set(byID.filter { state.running(on: $0.value.id) != nil }.keys))
        }
        var running: Set<String> = []
        for id in await hypervisor.known() {
            do throws(ARMError) {
                guard let record = byID[id] else {
                    try await hypervisor.remove(id)
                    continue
                }
                // What an operation is about to do it does when it goes on.
                guard busy.contains(id) || record.hidden["power"]?.string == "running" else {
                    try await hypervisor.powerOff(id, gracefully: false)
                    continue
                }
                if try await hypervisor.adopt(id) { running.insert(id) }
            } catch {
                logger.warning("machine \(id): \(error.message)")
            }
        }
        for (id, record) in byID where !running.contains(id) && !busy.contains(id) { await noteEnd(of: record.id) }
    }

    /// Looks after machines that run: serves their metadata, and notes what becomes of them. Ends when it is cancelled.
    package func attendMachines(logger: Logger) async {
        guard let hypervisor = equipment.hypervisor else { return }
        var services: [String: Task<Void, Never>] = [:]
        defer { for service in services.values { service.cancel() } }
        await withDiscardingTaskGroup { group in
            for await event in hypervisor.events {
                switch event {
                case .started(let id):
                    guard let machine = machine(id) else { continue }
                    let socket = hypervisor.metadataSocket(of: id)
                    let before = services[id]
                    before?.cancel()
                    services[id] = Task {
                        await before?.value
                        await serveMetadata(of: machine, on: socket, logger)
                    }
                case .ended(let id):
                    services.removeValue(forKey: id)?.cancel()
                    if let machine = machine(id) { group.addTask { await self.noteEnd(of: machine) } }
                case .restarted(let id):
                    if let machine = machine(id) { await note(machine) { $0.hidden[path: "agentReady"] = nil } }
                case .ready(let id):
                    let now = clock.now
                    guard let machine = machine(id) else { continue }
                    await note(machine) { record in
                        if record.hidden["agentReady"] == nil {
                            record.hidden[path: "agentReady"] = .string(now.text)
                        }
                    }
                }
            }
        }
    }

    private func machines(in state: EmulatorState) -> [Record] {
        configuration.subscriptions.flatMap {
            state.list("Microsoft.Compute/virtualMachines", in: ResourceID(subscription: $0.id))
        }
    }

    /// The machine of this `vmId`.
    func machine(_ id: String) -> ResourceID? {
        look { state in machines(in: state).first { RealMachine.id(of: $0) == id }?.id }
    }

    private func note(_ machine: ResourceID, _ change: (inout Record) -> Void) async {
        _ = try? await commit(clock.now) { (state) throws(ARMError) in
            guard var record = state[machine] else { return }
            let before = record.hidden
            change(&record)
            if record.hidden != before { state.put(record) }
        }
    }

    /// A machine that is on record as running, and does not run, was powered off by its guest or lost by this computer.
    private func noteEnd(of machine: ResourceID) async {
        guard let hypervisor = equipment.hypervisor else { return }
        // What an operation does to a machine it says itself, at its end.
        while look({ $0.running(on: machine) }) != nil {
            do { try await clock.wait(until: clock.now + .milliseconds(100)) } catch { return }
        }
        guard let record = record(machine), record.hidden["power"]?.string == "running",
            await !hypervisor.isRunning(RealMachine.id(of: record))
        else { return }
        _ = try? await commit(clock.now) { (state) throws(ARMError) in
            guard var record = state[machine], record.hidden["power"]?.string == "running",
                state.running(on: machine) == nil
            else { return }
            record.hidden[path: "agentReady"] = nil
            VirtualMachines.setPower("stopped", of: &record, in: &state)
            state.put(record)
        }
    }

    /// Until it is cancelled.
    private func serveMetadata(of machine: ResourceID, on socket: String, _ logger: Logger) async {
        let path = FilePath(socket)
        do {
            let folder = try FileDescriptor.open(
                path.removingLastComponent(), .readOnly, options: [.directory, .closeOnExec])
            defer { try? folder.close() }
            // A socket's address holds 107 bytes: the folder is named by its descriptor.
            let short = "/proc/self/fd/\(folder.rawValue)/\(path.lastComponent?.string ?? "")"
            // Its end, which is a cancellation, is an error for the server's own words.
            var quiet = logger
            quiet.logLevel = .critical
            try await MetadataServer(self, machine: machine, logger: quiet).run(on: .unix(short))
        } catch is CancellationError {
        } catch {
            logger.warning("metadata of \(machine): \(error)")
        }
    }
}
