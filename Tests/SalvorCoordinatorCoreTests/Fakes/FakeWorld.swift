import SalvorCoordinatorCore
import Synchronization

/// Machines, disks, rescue VMs: what is there outside of Salvor and goes on being there when Salvor dies.
struct WorldState: Sendable {
    enum Content: Hashable, Sendable {
        case faulty, torn, repaired, clean
    }

    /// What a scan finds, and what a boot shows.
    enum Nature: Hashable, Sendable {
        case repairable, clean, locked, unclean, notWindows, ambiguous
    }

    struct FakeMachine: Sendable {
        var machine: Machine
        var nature = Nature.repairable
        /// What its registry calls it.
        var windowsName: String?
        var bootVerdict: BootProof.Verdict? = nil
        /// The copy that is its OS disk now.
        var swappedTo: CopyName?
        var isRunning = false
    }

    struct Copy: Sendable {
        var content: Content
        var attachedTo: HostName?
    }

    /// Machines run until they are stopped, and copies come off a host that is being ended.
    var isCloud = false
    /// The version of Protocol/salvor/v1 that agents speak.
    var agentProtocol: UInt32 = 1
    var machines: [String: FakeMachine] = [:]
    var copies: [CopyName: Copy] = [:]
    var hosts: Set<HostName> = []
    var mostHostsAtOnce = 0
    /// `copy m1`, `apply m1`, `deleteHost rescue-1`, … in the order in which they took hold.
    var effects: [String] = []
}

final class FakeWorld: Sendable {
    private let state: Mutex<WorldState>
    private let failures = Mutex<[String: any Error & Sendable]>([:])
    private let hook = Mutex<(@Sendable (String) async throws -> Void)?>(nil)

    init(_ state: WorldState) { self.state = Mutex(state) }

    /// Machines m1, m2, … of one nature.
    convenience init(_ count: Int = 1, nature: WorldState.Nature = .repairable, isCloud: Bool = false) {
        var state = WorldState()
        state.isCloud = isCloud
        for number in 1...count {
            let name = "m\(number)"
            state.machines[name] = WorldState.FakeMachine(
                machine: Machine(
                    name: name, definition: "/fleet/\(name).yaml",
                    osDisk: OSDisk(identifier: "/disks/\(name).qcow2", format: "qcow2", sizeBytes: 1 << 30)),
                nature: nature, isRunning: isCloud)
        }
        self.init(state)
    }

    var snapshot: WorldState { state.withLock { $0 } }
    var effects: [String] { snapshot.effects }

    /// No effect takes hold until the body is through.
    func standingStill<Value: Sendable>(_ body: (WorldState) throws -> Value) rethrows -> Value {
        try state.withLock { try body($0) }
    }

    func change(_ body: (inout WorldState) -> Void) { state.withLock { body(&$0) } }

    /// Called before and after each effect: `before copy m1`, `after copy m1`.
    func onEachPoint(_ body: @escaping @Sendable (String) async throws -> Void) { hook.withLock { $0 = body } }

    /// Lets go of the observer, which mostly holds this world and its folder in turn.
    func stopWatching() { hook.withLock { $0 = nil } }

    /// The effect throws instead of taking hold.
    func fail(_ effect: String, with error: any Error & Sendable) { failures.withLock { $0[effect] = error } }

    func mend(_ effect: String) { failures.withLock { $0[effect] = nil } }

    func effect<Value: Sendable>(
        _ name: String, _ body: (inout WorldState) throws -> Value
    ) async throws -> Value {
        let hook = hook.withLock { $0 }
        try await hook?("before \(name)")
        await Task.yield()
        try Task.checkCancellation()
        if let failure = failures.withLock({ $0[name] }) { throw failure }
        let value = try state.withLock { state in
            let value = try body(&state)
            state.effects.append(name)
            return value
        }
        try await hook?("after \(name)")
        return value
    }
}
