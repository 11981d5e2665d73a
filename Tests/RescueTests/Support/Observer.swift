import SystemPackage
import Synchronization

/// What a test has seen of a command while it ran: the enrolment token, and the command lines of all that it started.
final class Observer: Sendable {
    private let seen = Mutex<(token: ConfigDiskToken?, commandLines: Set<[String]>)>((nil, []))

    var token: ConfigDiskToken? { seen.withLock(\.token) }
    var commandLines: Set<[String]> { seen.withLock(\.commandLines) }

    /// To be called at each progress line.
    func look(at lab: Lab, line: String) async throws {
        let commandLines = ProcessTable.entries(naming: lab.folder).map(\.commandLine)
        seen.withLock { $0.commandLines.formUnion(commandLines) }
        if line.contains("start the rescue VM: done") {
            let token = try await ConfigDiskToken(below: lab.state)
            seen.withLock { $0.token = token }
        }
    }
}
