internal import SalvorMessages
internal import SwiftProtobuf
internal import Synchronization

/// The Applies that go on or have ended, by name, so that a caller whose link was lost joins the one that it began
/// (SPEC.md ).
final class Applies: Sendable {
    /// One Apply.
    struct Member: Sendable {
        let journal = ApplyJournal()
        let stop = StopSignal()
        /// As it was asked for, without what the caller had of it.
        fileprivate let request: Salvor_V1_ApplyRequest

        fileprivate init(_ request: Salvor_V1_ApplyRequest) { self.request = request }
    }

    private struct State {
        var members: [String: Member] = [:]
        /// Names of those that have ended, the oldest first.
        var ended: [String] = []
    }

    /// More than a rescue VM has disks. What is forgotten cannot be joined any more.
    private static let mostEnded = 64
    private let state = Mutex(State())

    /// The Apply of that name and request; where there is none, a new one, which `begin` starts.
    /// - Throws: ``AgentError/Code/invalidRequest`` where the name is another request's, or nothing can be joined.
    func join(
        _ request: Salvor_V1_ApplyRequest, begin: (Member) -> Void
    ) throws(AgentError) -> Member {
        let after = request.afterSequence
        var request = request
        request.afterSequence = 0
        let id = request.quarantineID
        let (result, isNew) = state.withLock { state -> (Result<Member, AgentError>, Bool) in
            if let known = state.members[id] {
                return (known.request == request ? .success(known) : .failure(.otherRequest(id)), false)
            }
            guard after == 0 else { return (.failure(.unknownApply(id)), false) }
            let member = Member(request)
            state.members[id] = member
            return (.success(member), true)
        }
        let member = try result.get()
        if isNew { begin(member) }
        return member
    }

    subscript(id: String) -> Member? { state.withLock { $0.members[id] } }

    /// It has come to an outcome, which is kept for whom it did not reach.
    func ended(_ id: String) {
        state.withLock { state in
            state.ended.append(id)
            guard state.ended.count > Self.mostEnded else { return }
            state.members[state.ended.removeFirst()] = nil
        }
    }

    /// Its outcome is known to its caller, or there is none.
    func forget(_ id: String) {
        state.withLock { state in
            guard let member = state.members[id], member.journal.isEnded else { return }
            state.members[id] = nil
            state.ended.removeAll { $0 == id }
        }
    }
}

extension AgentError {
    fileprivate static func otherRequest(_ id: String) -> AgentError {
        AgentError(
            .invalidRequest, "\(id) is the name of another Apply. Nothing was begun.",
            next: "Give each Apply a name of its own.")
    }

    fileprivate static func unknownApply(_ id: String) -> AgentError {
        AgentError(
            .unknownApply, "This agent has no Apply \(id) whose events could be sent again. Nothing was begun.",
            next: "What it did to the disk is not known: repair a new copy.")
    }
}
