import SystemPackage
import Synchronization

/// What a test has seen of a command while it ran: the enrolment token, and the command lines of all that it started.
final class Observer: Sendable {
    private let seen = Mutex<(token: ConfigDiskToken?, commandLines: Set<[String]>)>((nil, []))

    var token: ConfigDiskToken? { seen.withLock(\.token) }
    var commandLines: Set<[String]> { seen.withLock(\.commandLines) }

    /// To be called at each progress line.
    func look(at lab: Lab, line: String) async throws {
        note(lab)
        if line.contains("prove the boot …") {
            // The machine is started after this line, and nothing is said before it has ended.
            let end = ContinuousClock.now + .seconds(20)
            while machines < 2, ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(50))
                note(lab)
            }
        }
        if line.contains("start the rescue VM: done") {
            let token = try await ConfigDiskToken(below: lab.state)
            seen.withLock { $0.token = token }
        }
    }

    private var machines: Int { commandLines.count { $0.first?.contains("qemu-system") == true } }

    private func note(_ lab: Lab) {
        let commandLines = ProcessTable.entries(naming: lab.folder).map(\.commandLine)
        seen.withLock { $0.commandLines.formUnion(commandLines) }
    }
}
