import SalvorQEMU
internal import SalvorJSON
import Synchronization

/// Watches a machine from its first instruction until its boot is proven or has failed.
struct BootWatch: Sendable {
    let machine: QEMUMachine
    let probe: MachineDefinition.BootProbe.Kind
    /// Port of 127.0.0.1 that leads to the guest's, for a TCP probe.
    let hostPort: Int?
    let restartLimit: Int

    /// Lets the machine run and returns what comes first; nil when `limit` has passed.
    func outcome(within limit: Duration) async throws(QEMUError) -> BootOutcome? {
        // Before the first instruction, so that no restart is missed.
        let events = machine.monitor.events()
        try await machine.run()
        return await SalvorQEMU.within(limit) {
            await withTaskGroup(of: BootOutcome?.self) { group in
                group.addTask { await failure(in: events) }
                group.addTask { await readiness() }
                for await outcome in group {
                    guard let outcome else { continue }
                    group.cancelAll()
                    return outcome
                }
                return nil
            }
        } ?? nil
    }

    private func failure(in events: AsyncStream<QMPEvent>) async -> BootOutcome? {
        var restarts = 0
        for await event in events {
            switch event.name {
            case "RESET" where event.data["guest"] == true:
                restarts += 1
                if restarts >= restartLimit { return .restartLoop(count: restarts) }
            case "GUEST_PANICKED": return .panicked
            case "SHUTDOWN":
                return .ended("it powered off (\(event.data["reason"]?.string ?? "for an unknown reason"))")
            default: continue
            }
        }
        return Task.isCancelled ? nil : .ended("QEMU ended")
    }

    private func readiness() async -> BootOutcome? {
        switch probe {
        case .serial(let pattern): await serialReadiness(pattern)
        case .tcp(let port): await TCPProbe(monitor: machine.monitor, guestPort: port, hostPort: hostPort ?? 0).ready()
        }
    }

    private func serialReadiness(_ pattern: String) async -> BootOutcome? {
        do {
            // Compiled anew for each console, because a Regex is not Sendable; the reader has checked that it compiles.
            let matcher = ConsoleMatcher(try Regex(pattern))
            guard let line = try await machine.console.firstLine(where: { matcher.matches($0) }) else { return nil }
            return .ready("console line “\(line)”")
        } catch {
            return .unwatchable("the console could not be watched: \(error)")
        }
    }
}

/// A regular expression behind a lock, which is what makes it Sendable: used by one task at a time.
final class ConsoleMatcher: Sendable {
    private let regex: Mutex<Regex<AnyRegexOutput>>

    init(_ regex: sending Regex<AnyRegexOutput>) { self.regex = Mutex(regex) }

    func matches(_ line: String) -> Bool {
        regex.withLock { (try? $0.firstMatch(in: line)) != nil }
    }
}
