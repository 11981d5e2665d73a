import SalvorCoordinatorCore

/// A provider that is as strict as a provider may be.
struct FakeProvider: Provider {
    let world: FakeWorld
    var kind: String { "fake" }

    var mustStopMachines: Bool { world.snapshot.isCloud }
    var retiringFreesCopies: Bool { world.snapshot.isCloud }

    func stop(_ machine: Machine) async throws(ProviderError) {
        try await effect("stop \(machine.name)") { state in state.machines[machine.name]?.isRunning = false }
    }

    func retireHost(named name: HostName) async throws(ProviderError) {
        try await effect("retireHost \(name.host)") { state in
            for copy in state.copies.keys where state.copies[copy]?.attachedTo == name {
                state.copies[copy]?.attachedTo = nil
            }
        }
    }

    func machines() async throws(ProviderError) -> [Machine] {
        world.snapshot.machines.values.map(\.machine).sorted { $0.name < $1.name }
    }

    func machine(named name: String) async throws(ProviderError) -> Machine {
        guard let machine = world.snapshot.machines[name] else {
            throw ProviderError(.notFound, "There is no machine \(name).", nextStep: "Did you mean m1?")
        }
        return machine.machine
    }

    func preflight(_ machine: Machine) async throws(ProviderError) -> [String] {
        try await effect("preflight \(machine.name)") { _ in ["the disk has 1 GiB"] }
    }

    func plan(for rescue: PlannedRescue) async throws(ProviderError) -> ProviderPlan {
        ProviderPlan(changes: rescue.machines.map { PlannedChange("copy", $0.osDisk.identifier, "to repair it") })
    }

    func copyDisk(of machine: Machine, to name: CopyName) async throws(ProviderError) -> RepairCopy {
        try await effect("copy \(machine.name)") { state in
            // As it was left: whoever calls again after an interrupted repair gets the torn copy.
            if state.copies[name] == nil {
                let isClean = state.machines[machine.name]?.nature == .clean
                state.copies[name] = WorldState.Copy(content: isClean ? .clean : .faulty)
            }
            return copy(name)
        }
    }

    func route(toCoordinatorPort port: Int) -> HostRoute {
        HostRoute(coordinator: "10.0.2.100:\(port)", staticAddress: "10.0.2.15/24", gateway: "10.0.2.2")
    }

    func createHost(_ specification: HostSpecification) async throws(ProviderError) -> RescueHost {
        let name = specification.name
        return try await effect("host \(name.host)") { state in
            state.hosts.insert(name)
            state.mostHostsAtOnce = max(state.mostHostsAtOnce, state.hosts.count)
            return RescueHost(name: name, identifier: "pid-\(name.number)", details: ["acceleration": "fake"])
        }
    }

    func attach(_ copy: RepairCopy, to host: RescueHost) async throws(ProviderError) -> DiskAddress {
        try await effect("attach \(copy.name.machine)") { state in
            guard state.hosts.contains(host.name), state.copies[copy.name] != nil else {
                throw ProviderError(.notFound, "no host or copy", nextStep: "-")
            }
            state.copies[copy.name]?.attachedTo = host.name
            return .serial(copy.name.machine)
        }
    }

    func detach(_ copy: RepairCopy, from host: RescueHost) async throws(ProviderError) {
        try await effect("detach \(copy.name.machine)") { state in state.copies[copy.name]?.attachedTo = nil }
    }

    func swap(_ machine: Machine, to copy: RepairCopy) async throws(ProviderError) -> Swap {
        try await effect("swap \(machine.name)") { state in
            guard let there = state.copies[copy.name], there.attachedTo == nil else {
                throw ProviderError(.diskInUse, "the copy is gone or attached", nextStep: "-")
            }
            guard !state.isCloud || state.machines[machine.name]?.isRunning == false else {
                throw ProviderError(.conflict, "the machine runs", nextStep: "-")
            }
            state.machines[machine.name]?.swappedTo = copy.name
            return Swap(machine: machine.name, original: machine.osDisk, repaired: copy.disk)
        }
    }

    func swapBack(_ swap: Swap) async throws(ProviderError) {
        try await effect("swapBack \(swap.machine)") { state in
            state.machines[swap.machine]?.swappedTo = nil
            state.machines[swap.machine]?.isRunning = false
        }
    }

    func startAndProveBoot(_ machine: Machine, consoleLog: String) async throws(ProviderError) -> BootProof {
        try await effect("boot \(machine.name)") { state in
            let there = state.machines[machine.name]
            let content = there?.swappedTo.flatMap { state.copies[$0]?.content }
            let verdict = there?.bootVerdict ?? (content == .repaired ? .booted : .failed)
            state.machines[machine.name]?.isRunning = verdict != .failed
            return BootProof(verdict: verdict, evidence: "seen", seconds: 1, consoleLog: consoleLog)
        }
    }

    func deleteHost(named name: HostName) async throws(ProviderError) {
        try await effect("deleteHost \(name.host)") { state in
            state.hosts.remove(name)
            for copy in state.copies.keys where state.copies[copy]?.attachedTo == name {
                state.copies[copy]?.attachedTo = nil
            }
        }
    }

    func deleteCopy(named name: CopyName) async throws(ProviderError) {
        try await effect("deleteCopy \(name.machine)") { state in
            guard state.copies[name]?.attachedTo == nil, state.machines[name.machine]?.swappedTo != name else {
                throw ProviderError(.diskInUse, "the copy of \(name.machine) is in use", nextStep: "-")
            }
            state.copies[name] = nil
        }
    }

    func deleteOriginal(of swap: Swap) async throws(ProviderError) {
        try await effect("deleteOriginal \(swap.machine)") { state in
            guard let machine = state.machines[swap.machine], machine.isRunning, machine.swappedTo != nil else {
                throw ProviderError(.conflict, "\(swap.machine) does not run well", nextStep: "-")
            }
        }
    }

    func resources(ofRun run: String) async throws(ProviderError) -> [ProviderResource] {
        let state = world.snapshot
        return state.copies.keys.map { ProviderResource(kind: .repairCopy, identifier: "/copies/\($0.machine)") }
            + state.hosts.map { ProviderResource(kind: .rescueHost, identifier: $0.host) }
    }

    private func copy(_ name: CopyName) -> RepairCopy {
        RepairCopy(
            name: name, disk: OSDisk(identifier: "/copies/\(name.machine)", format: "qcow2"), dependsOnOriginal: true)
    }

    private func effect<Value: Sendable>(
        _ name: String, _ body: (inout WorldState) throws -> Value
    ) async throws(ProviderError) -> Value {
        do {
            return try await world.effect(name, body)
        } catch let error as ProviderError {
            throw error
        } catch {
            throw ProviderError(.failed, "\(name) failed.", nextStep: "Look.", cause: error)
        }
    }
}
