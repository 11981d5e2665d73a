internal import FoundationEssentials
internal import SalvorSystem

/// Azure's Instance Metadata Service, which holds a machine's `userData`: the bootstrap data of a rescue VM that has no
/// config disk.
///
/// The agent asks it and not a program of the image's, because what comes is secret: here it passes through this
/// process's memory alone.
package struct InstanceMetadata: Sendable {
    private let address: String
    private let port: UInt16

    /// What Azure takes as userData, in base64, and a line's end.
    private static let longestUserData = (64 << 10) / 3 * 4 + 64
    private static let path = "/metadata/instance/compute/userData?api-version=2021-01-01&format=text"

    package init(address: String = "169.254.169.254", port: UInt16 = 80) {
        self.address = address
        self.port = port
    }

    /// The bytes of `userData`, asked for again and again while the network and the service come up.
    /// - Parameters:
    ///   - limit: of all attempts together.
    ///   - attempt: limit of one.
    ///   - pause: before the second attempt; it doubles with each, up to five seconds.
    ///   - waiting: told why there is nothing yet, when that is something new. Nothing told is secret.
    /// - Throws: ``AgentError/Code/invalidBootstrap``.
    package func userData(
        limit: Duration = .seconds(300), attempt: Duration = .seconds(5), pause: Duration = .milliseconds(250),
        waiting: @Sendable (String) -> Void = { _ in }
    ) async throws(AgentError) -> [UInt8] {
        let deadline = ContinuousClock.now + limit
        var pause = pause
        var told: String?
        while true {
            let reason: String
            switch await ask(limit: min(attempt, max(deadline - .now, .milliseconds(100)))) {
            case .found(let bytes): return bytes
            case .refused(let why): throw .userData(why)
            case .notYet(let why): reason = why
            }
            guard ContinuousClock.now + pause < deadline else { throw .userData("\(reason), for \(limit)") }
            if reason != told { waiting(reason) }
            told = reason
            do { try await Task.sleep(for: pause) } catch { throw .userData("the wait for it was cancelled") }
            pause = min(pause * 2, .seconds(5))
        }
    }

    private enum Outcome: Sendable {
        case found([UInt8])
        case notYet(String)
        case refused(String)
    }

    private func ask(limit: Duration) async -> Outcome {
        let question = HTTPQuestion(
            address: address, port: port, path: Self.path, headers: [("Metadata", "true")],
            longestBody: Self.longestUserData)
        return await Blocking.run { () -> Outcome in
            do throws(HTTPQuestion.Fault) {
                return Self.outcome(try question.ask(limit: limit))
            } catch {
                if case .answer(.tooLong) = error { return .refused("\(error)") }
                return .notYet("\(error)")
            }
        }
    }

    private static func outcome(_ answer: HTTPAnswer) -> Outcome {
        switch answer.status {
        case 200:
            let text = answer.body.filter { $0 > 0x20 }
            if text.isEmpty { return .notYet("the machine has no userData") }
            guard let data = Data(base64Encoded: Data(text)) else { return .refused("the userData is not base64") }
            return .found(Array(data))
        // Not there yet, moved to another host, too many questions, trouble of its own (Azure's documents, and what
        // cloud-init waits through).
        case 404, 410, 429, 500...599: return .notYet("it answered with status \(answer.status)")
        default: return .refused("it answered with status \(answer.status)")
        }
    }
}

extension AgentError {
    fileprivate static func userData(_ fault: String) -> AgentError {
        AgentError(
            .invalidBootstrap, "There is no bootstrap data from the instance metadata service: \(fault).",
            next: "Start the rescue VM again with userData that the coordinator made for it, or with a config disk.")
    }
}
