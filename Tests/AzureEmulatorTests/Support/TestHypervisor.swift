import AzureEmulator
import Synchronization

/// A hypervisor that notes what it is asked for, and fails when it is told to.
final class TestHypervisor: Hypervisor {
    private struct State {
        var asked: [String] = []
        var running: [String: RealMachine] = [:]
        var known: Set<String> = []
        var failures: [String: ARMError] = [:]
        var log: [UInt8] = []
    }

    let events: AsyncStream<MachineEvent>
    private let tell: AsyncStream<MachineEvent>.Continuation
    private let state = Mutex(State())
    private let folder: TestFolder

    init() throws {
        folder = try TestFolder()
        (events, tell) = AsyncStream.makeStream()
    }

    /// What was asked for since the last call: `start NAME`, `adjust NAME 0,5`, `powerOff`, ….
    func takeAsked() -> [String] {
        state.withLock { state in
            defer { state.asked = [] }
            return state.asked
        }
    }

    /// As it was started or last adjusted; nil for one that does not run.
    func machine(_ id: String) -> RealMachine? { state.withLock { $0.running[id] } }

    /// Lets the next call of this name fail.
    func fail(_ call: String, _ error: ARMError) { state.withLock { $0.failures[call] = error } }

    func setLog(_ log: String) { state.withLock { $0.log = Array(log.utf8) } }

    /// What an emulator that was killed has left.
    func leave(_ id: String, running machine: RealMachine?) {
        state.withLock { state in
            state.known.insert(id)
            state.running[id] = machine
        }
    }

    /// The guest powers itself off, or its process is lost.
    func end(_ id: String) {
        state.withLock { $0.running[id] = nil }
        tell.yield(.ended(id))
    }

    func say(_ event: MachineEvent) { tell.yield(event) }

    private func note(_ call: String, _ rest: String = "", _ change: (inout State) -> Void) throws(ARMError) {
        let failure = state.withLock { state in
            state.asked.append(rest.isEmpty ? call : "\(call) \(rest)")
            let failure = state.failures.removeValue(forKey: call)
            if failure == nil { change(&state) }
            return failure
        }
        if let failure { throw failure }
    }

    func start(_ machine: RealMachine) async throws(ARMError) {
        try note("start", machine.name) { state in
            state.known.insert(machine.id)
            state.running[machine.id] = machine
        }
        tell.yield(.started(machine.id))
    }

    func adjust(_ machine: RealMachine) async throws(ARMError) {
        let luns = machine.dataDisks.keys.sorted().map(String.init).joined(separator: ",")
        try note("adjust", "\(machine.name) \(luns)") { state in
            if state.running[machine.id] != nil { state.running[machine.id] = machine }
        }
    }

    func powerOff(_ id: String, gracefully: Bool) async throws(ARMError) {
        try note("powerOff", gracefully ? "gracefully" : "at once") { $0.running[id] = nil }
        tell.yield(.ended(id))
    }

    func remove(_ id: String) async throws(ARMError) {
        try note("remove") { state in
            state.known.remove(id)
            state.running[id] = nil
        }
    }

    func known() async -> [String] { state.withLock { $0.known.sorted() } }

    func adopt(_ id: String) async throws(ARMError) -> Bool {
        try note("adopt") { _ in }
        return await isRunning(id)
    }

    func isRunning(_ id: String) async -> Bool { state.withLock { $0.running[id] != nil } }
    func consoleLog(_ id: String) async -> [UInt8] { state.withLock { $0.log } }
    func screenshot(_ id: String) async throws(ARMError) -> [UInt8]? { await isRunning(id) ? [0x89, 0x50] : nil }
    func metadataSocket(of id: String) -> String { "\(folder.path)/\(id).sock" }
}

/// Waits until something is so, for what happens beside a request.
func eventually(_ what: String, _ isSo: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while try await !isSo() {
        guard ContinuousClock.now < deadline else { throw NeverSo(what: what) }
        try await Task.sleep(for: .milliseconds(2))
    }
}

struct NeverSo: Error { let what: String }
